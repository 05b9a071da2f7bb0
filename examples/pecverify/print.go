package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/gopec/gopec/receipt"
)

// newPrinter returns the function that prints verdicts: as JSON lines, or in full for one
// message and as a table for more.
func newPrinter(w io.Writer, asJSON bool, files int) func(verdict) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return func(v verdict) error {
			if v.dossier != nil {
				return encoder.Encode(v.dossier)
			}
			return encoder.Encode(v.Report)
		}
	}
	heading := true
	return func(v verdict) error {
		switch {
		case v.dossier != nil:
			return printDossier(w, v.dossier)
		case files == 1 && !v.enclosed:
			return printFull(w, v)
		}
		if heading {
			heading = false
			if err := printRow(w, "VERDICT", "KIND", "CERTIFIED TIME", "FROM > RECIPIENT", "FILE"); err != nil {
				return err
			}
		}
		if err := printRow(w, verdictOf(v), v.Kind, v.Time, parties(v.Report), v.File); err != nil {
			return err
		}
		return printDifferences(w, v)
	}
}

// printDossier prints the verdict on a dossier, which comes after its messages.
func printDossier(w io.Writer, d *dossierReport) error {
	if d.Verified {
		if _, err := fmt.Fprintf(w, "%s\nverified: dossier of %s: %s\n", clean(d.File), clean(d.MessageID), d.Result); err != nil {
			return err
		}
		for _, flag := range d.Flags {
			if _, err := fmt.Fprintf(w, "  warning         %s\n", flag); err != nil {
				return err
			}
		}
		return nil
	}
	if _, err := fmt.Fprintf(w, "%s\nNOT VERIFIED (%s): dossier\n", clean(d.File), d.Failure); err != nil {
		return err
	}
	for _, a := range d.Alterations {
		if _, err := fmt.Fprintf(w, "  altered         %s\n", clean(a.String())); err != nil {
			return err
		}
	}
	return nil
}

// printDifferences prints how the content differs from what was sent.
func printDifferences(w io.Writer, v verdict) error {
	for _, d := range v.differences {
		if _, err := fmt.Fprintf(w, "  different       %s: %s\n", clean(d.What), clean(d.Text)); err != nil {
			return err
		}
	}
	return nil
}

func printRow(w io.Writer, verdict, kind, time, parties, file string) error {
	_, err := fmt.Fprintf(w, "%-21s %-15s %-25s %-50s %s\n", verdict, kind, time, clean(parties), clean(file))
	return err
}

func verdictOf(v verdict) string {
	switch {
	case v.good():
		return "verified"
	case v.Verified:
		return "NO: other content"
	default:
		return "NO: " + string(v.Failure)
	}
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

func printFull(w io.Writer, v verdict) error {
	r := v.Report
	heading := "verified: " + r.Kind
	switch {
	case r.Verified && !v.good():
		heading += ", but NOT of what was sent"
	case !r.Verified:
		heading = fmt.Sprintf("NOT VERIFIED (%s); it claims to be: %s", r.Failure, r.Kind)
	}
	lines := []struct{ name, value string }{
		{"certified time", r.Time},
		{"from", r.Sender},
		{"recipient", recipients(r)},
		{"subject", r.Subject},
		{"failure", strings.TrimSpace(fmt.Sprintf("%s %s", r.Cause, r.ErrorText))},
		{"receipt", string(r.Detail)},
		{"content", compared(r)},
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
	return printDifferences(w, v)
}

// compared returns the verdict on the content; "" when the message has none to compare.
func compared(r receipt.Report) string {
	if r.Detail == "" {
		return ""
	}
	return r.Content
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

// clean replaces characters by which a stranger's text could control the terminal or change
// the order of letters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
