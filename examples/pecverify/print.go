package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/gopec/gopec/receipt"
)

// newPrinter gives the function that prints reports: as JSON lines, in full for
// one message, as a table for more.
func newPrinter(w io.Writer, asJSON bool, messages int) func(receipt.Report) error {
	switch {
	case asJSON:
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return func(r receipt.Report) error { return encoder.Encode(r) }
	case messages == 1:
		return func(r receipt.Report) error { return printFull(w, r) }
	default:
		heading := true
		return func(r receipt.Report) error {
			if heading {
				heading = false
				if err := printRow(w, "VERDICT", "KIND", "CERTIFIED TIME", "FROM > RECIPIENT", "FILE"); err != nil {
					return err
				}
			}
			return printRow(w, verdict(r), r.Kind, r.Time, parties(r), r.File)
		}
	}
}

func printRow(w io.Writer, verdict, kind, time, parties, file string) error {
	_, err := fmt.Fprintf(w, "%-21s %-15s %-25s %-50s %s\n", verdict, kind, time, clean(parties), clean(file))
	return err
}

func verdict(r receipt.Report) string {
	if r.Verified {
		return "verified"
	}
	return "NO: " + string(r.Failure)
}

func parties(r receipt.Report) string {
	if r.Sender == "" {
		return ""
	}
	return r.Sender + " > " + recipients(r)
}

func recipients(r receipt.Report) string {
	if r.Recipient != "" {
		return r.Recipient
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

func printFull(w io.Writer, r receipt.Report) error {
	heading := "verified: " + r.Kind
	if !r.Verified {
		heading = fmt.Sprintf("NOT VERIFIED (%s); it claims to be: %s", r.Failure, r.Kind)
	}
	lines := []struct{ name, value string }{
		{"certified time", r.Time},
		{"from", r.Sender},
		{"recipient", recipients(r)},
		{"subject", r.Subject},
		{"failure", strings.TrimSpace(fmt.Sprintf("%s %s", r.Cause, r.ErrorText))},
		{"receipt", string(r.Detail)},
		{"message id", r.MessageID},
		{"provider's id", r.CertID},
		{"provider", r.Provider},
		{"signed by", signer(r)},
		{"revocation", string(r.Revocation)},
		{"warnings", warnings(r)},
		{"key", r.SHA256},
	}
	if _, err := fmt.Fprintf(w, "%s\n%s\n", clean(r.File), heading); err != nil {
		return err
	}
	for _, line := range lines {
		if line.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "  %-15s %s\n", line.name, clean(line.value)); err != nil {
			return err
		}
	}
	return nil
}

func signer(r receipt.Report) string {
	if r.Anchor == "" {
		return r.Signer
	}
	return r.Signer + ", certified by " + r.Anchor
}

func warnings(r receipt.Report) string {
	var list []string
	for _, w := range r.Warnings {
		list = append(list, string(w))
	}
	return strings.Join(list, ", ")
}

// clean keeps what a stranger wrote from steering the terminal or the order of its
// letters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
