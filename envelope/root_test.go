package envelope

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/multipart"
)

// Certification data are recognised by the beginning of the document.
func TestIsCertData(t *testing.T) {
	for document, want := range map[string]bool{
		`<?xml version="1.0" encoding="UTF-8"?><postacert tipo="x"/>`: true,
		"<postacert>":                true,
		"\ufeff\r\n\t <postacert\n>": true,
		`<?xml version='1.0'?><!-- <a> --><?a b?><!DOCTYPE postacert><PostaCert/>`: true,
		`<p:postacert xmlns:p="urn:p">`:                                            true,
		"<?xml version=\"1.0\" encoding=\"iso-2022-jp\"?><\x1b(Bpostacert>":        true,
		strings.Repeat(" ", maxProlog-11) + "<postacert>":                          true,
		strings.Repeat(" ", maxProlog-10) + "<postacert>":                          false,
		"<!--" + strings.Repeat(" ", maxProlog) + "--><postacert>":                 false,
		"":                     false,
		"postacert":            false,
		"x<postacert>":         false,
		"\x00<postacert>":      false,
		"<postacert":           false,
		"<postacerti>":         false,
		"<a><postacert>":       false,
		"<!-- <postacert> -->": false,
		`<?xml version="1.0" encoding="UTF-8"?>x<postacert tipo="x"/>`: false,
	} {
		require.Equal(t, want, isCertData([]byte(document)), document)
	}
}

func TestPartNames(t *testing.T) {
	for name, want := range map[string]bool{
		"daticert.xml": true, "DATICERT.XML": true, " daticert.xml\t": true, "daticert.xml.": true, "daticert.xml\x00.txt": true,
		"../daticert.xml": true, `C:\tmp\daticert.xml`: true, "=?utf-8?q?daticert.xml?=": true, `"daticert.xml"`: true,
		"daticert.xml\u00a0": true, "daticert.xml\u202e": true,
		"daticert.xm": false, "daticert.xml.txt": false, "adaticert.xml": false, "dati cert.xml": false, "daticert.xml/x": false, "": false,
	} {
		require.Equal(t, want, isNamed(&multipart.Part{Names: []string{"x", name}}, "daticert.xml"), name)
	}
}

func TestHasDelimiter(t *testing.T) {
	for text, want := range map[string]bool{
		"--x": true, "a\n--x": true, "a\r\n--": true, "a\n-->\n--x": true, "<!--\n-->\n<a>--x</a>\n": false, "": false, "a--": false, "\n-": false,
	} {
		require.Equal(t, want, hasDelimiter([]byte(text)), text)
	}
}
