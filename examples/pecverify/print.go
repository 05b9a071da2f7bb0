package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/gopec/gopec/receipt"
)

// printer writes reports, one after the other.
type printer struct {
	w    io.Writer
	json *json.Encoder // nil for people
}

func newPrinter(w io.Writer, asJSON bool) *printer {
	p := &printer{w: w}
	if asJSON {
		p.json = json.NewEncoder(w)
		p.json.SetEscapeHTML(false)
	}
	return p
}

func (p *printer) print(r receipt.Report) error {
	if p.json != nil {
		return p.json.Encode(r)
	}
	verdict := "VERIFIED"
	if !r.Verified {
		verdict = "NOT VERIFIED (" + string(r.Failure) + ")"
	}
	_, err := fmt.Fprintf(p.w, "%s\n  %s: %s\n", clean(r.File), verdict, r.Kind)
	if err != nil {
		return err
	}
	for _, line := range []struct{ name, value string }{
		{"time", r.Time},
		{"from", r.Sender},
		{"recipient", r.Recipient},
		{"to", recipients(r)},
		{"subject", r.Subject},
		{"failure", strings.TrimSpace(fmt.Sprintf("%s %s", r.Cause, r.ErrorText))},
		{"message id", r.MessageID},
		{"provider", r.Provider},
		{"signed by", signer(r)},
		{"warnings", joined(r)},
	} {
		if line.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(p.w, "  %-11s %s\n", line.name, clean(line.value)); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(p.w)
	return err
}

func recipients(r receipt.Report) string {
	if r.Recipient != "" {
		return ""
	}
	var list []string
	for _, to := range r.Recipients {
		address := to.Address
		if !to.Certified {
			address += " (ordinary mail)"
		}
		list = append(list, address)
	}
	return strings.Join(list, ", ")
}

func signer(r receipt.Report) string {
	if r.Anchor == "" {
		return r.Signer
	}
	return r.Signer + ", certified by " + r.Anchor
}

func joined(r receipt.Report) string {
	var list []string
	for _, w := range r.Warnings {
		list = append(list, string(w))
	}
	return strings.Join(list, ", ")
}

// clean keeps what a stranger wrote from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
