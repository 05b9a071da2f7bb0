package main

import (
	"fmt"
	"regexp"
	"strings"
)

// invoiceName matches the country and identifier of the transmitter, and a number that the
// transmitter uses once.
var invoiceName = regexp.MustCompile(`^([A-Z]{2})([A-Za-z0-9]{2,28})_[A-Za-z0-9]{1,5}$`)

// stem returns the name of an invoice file without its extension, which is .xml, or .xml.p7m
// for a signed file.
func stem(name string) (string, error) {
	s, isXML := strings.CutSuffix(strings.TrimSuffix(name, ".p7m"), ".xml")
	m := invoiceName.FindStringSubmatch(s)
	// Italian identifiers are those of the tax register.
	if !isXML || m == nil || m[1] == "IT" && (len(m[2]) < 11 || len(m[2]) > 16) {
		return "", fmt.Errorf("%q is not the name of an invoice file: want one such as IT01234567890_00001.xml", name)
	}
	return s, nil
}

// kinds are the names of the exchange system's answers, by the token in the file name.
var kinds = map[string]string{
	"RC": "ricevuta di consegna",
	"NS": "notifica di scarto",
	"MC": "mancata consegna",
	"NE": "notifica di esito",
	"MT": "metadati del file",
	"AT": "attestazione di avvenuta trasmissione",
	"DT": "decorrenza dei termini",
}

var answerName = regexp.MustCompile(`^(.+)_([A-Z]{2})_[A-Za-z0-9]{1,3}\.xml$`)

// answer is a file from the exchange system about an invoice.
type answer struct {
	file, stem, kind string
}

func parseAnswer(file string) (answer, bool) {
	m := answerName.FindStringSubmatch(file)
	if m == nil || kinds[m[2]] == "" {
		return answer{}, false
	}
	_, err := stem(m[1] + ".xml")
	return answer{file: file, stem: m[1], kind: m[2]}, err == nil
}
