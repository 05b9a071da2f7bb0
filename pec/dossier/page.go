package dossier

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"

	"github.com/gopec/gopec/receipt"
)

// pageFiles are the files for people.
var pageFiles = map[Language]string{LanguageItalian: "rapporto.html", LanguageEnglish: "report.html"}

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// view is the data of the template page.html.
type view struct {
	*Report
	Language  Language
	CSS       template.CSS
	CSP       string // the Content-Security-Policy
	Other     string // the file with the page in the other language
	Delivered int    // how many recipients the message was delivered to
	Tally     []tally
	Manifest  string // the name of the manifest
	Facts     string // the name of the file with the facts
}

// tally is the number of recipients in one state.
type tally struct {
	State string
	Count int
}

// page returns the report for people: one HTML file without scripts, which loads nothing
// from anywhere. Whatever strangers wrote appears as text.
func (r *Report) page(l Language) ([]byte, error) {
	v := view{Report: r, Language: l, CSS: template.CSS(pageCSS), Manifest: manifestFile, Facts: factsFile, Other: pageFiles[LanguageEnglish]}
	if l == LanguageEnglish {
		v.Other = pageFiles[LanguageItalian]
	}
	style := sha256.Sum256([]byte(pageCSS))
	v.CSP = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) + "'; base-uri 'none'; form-action 'none'"
	for _, to := range r.Recipients {
		if to.State == "delivered" {
			v.Delivered++
		}
		i := slices.IndexFunc(v.Tally, func(t tally) bool { return t.State == to.State })
		if i < 0 {
			i, v.Tally = len(v.Tally), append(v.Tally, tally{State: to.State})
		}
		v.Tally[i].Count++
	}
	t, err := template.New("page").Funcs(functions(l)).Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("dossier: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("dossier: %w", err)
	}
	return b.Bytes(), nil
}

// functions returns the functions that the template calls.
func functions(l Language) template.FuncMap {
	return template.FuncMap{
		"t": func(italian, english string) string {
			if l == LanguageEnglish {
				return english
			}
			return italian
		},
		"word":    func(token any) string { return l.word(fmt.Sprint(token)) },
		"show":    visible,
		"legal":   func(at string) string { return legalTime(at, l) },
		"date":    func(day string) string { return dateOf(day, l) },
		"mood":    mood,
		"size":    func(n int64) string { return size(n, l) },
		"class":   class,
		"content": content,
		// The beginning of a file name, long enough to find the file by.
		"short": func(name string) string { return name[:min(len(name), len("certificates/")+16)] },
	}
}

// mood returns how a state is shown: good, bad or open.
func mood(state string) string {
	switch state {
	case "delivered", "match":
		return "good"
	case "refused", "rejected", "bounced", "expired", "failed", "mismatch":
		return "bad"
	default:
		return "open"
	}
}

// class returns the token for a pec.Class, which is "" when not known.
func class(c any) string {
	switch fmt.Sprint(c) {
	case "certified":
		return "certified"
	case "ordinary":
		return "ordinary-class"
	default:
		return "unclassified"
	}
}

// content returns the token for what a delivery receipt proves about the content. proof is
// the Number of the receipt. A hash over the encoded form does not prove the decoded file,
// see receipt.HashReading.
func content(r *Report, detail receipt.Detail, result any, proof int) string {
	if r.Original == nil && detail != receipt.DetailConcise {
		return "uncompared"
	}
	word := fmt.Sprint(result)
	isEncoded := func(p Proof) bool {
		return p.Number == proof && p.HashReading != "" && p.HashReading != receipt.HashDecoded
	}
	if word == string(receipt.ContentMatch) && slices.ContainsFunc(r.Proofs, isEncoded) {
		return "match-encoded"
	}
	return word
}

// size returns a number of bytes with its digits in groups of three.
func size(n int64, l Language) string {
	separator := "."
	if l == LanguageEnglish {
		separator = ","
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits + " byte"
}
