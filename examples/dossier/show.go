package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/gopec/gopec/pec/dossier"
)

// texts are the printed words, in Italian and in English.
var texts = map[string][2]string{
	"by":                          {"prova", "proof"},
	"missing":                     {"Manca", "Missing"},
	"until":                       {"Il gestore lo conserva fino al", "The provider keeps it until"},
	"differs":                     {"ATTENZIONE: contenuto diverso dall'originale", "BEWARE: the content is not the original"},
	"unproven":                    {"Messaggi non verificati", "Messages that are not proven"},
	string(dossier.GapOriginal):   {"il messaggio originale", "the original"},
	string(dossier.GapAcceptance): {"la ricevuta di accettazione", "the acceptance"},
	string(dossier.GapOutcome):    {"la ricevuta di avvenuta o mancata consegna", "the delivery or non-delivery notice"},
	string(dossier.GapContent):    {"il contenuto nella ricevuta", "the content in the receipt"},
}

// show prints what the evidence shows, and what is missing.
func show(out io.Writer, r *dossier.Report, l dossier.Language) error {
	text := func(name string) string {
		if l == dossier.LanguageEnglish {
			return texts[name][1]
		}
		return texts[name][0]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s  %s\n", r.MessageID, r.SentAt, r.Result, r.Subject)
	for _, to := range r.Recipients {
		fmt.Fprintf(&b, "  %-32s %-10s %-25s %s %d  %s\n", to.Address, to.State, to.Time, text("by"), to.Proof, to.Content)
	}
	if r.Mismatch() {
		fmt.Fprintf(&b, "%s\n", text("differs"))
	}
	if n := len(r.Unproven); n > 0 {
		fmt.Fprintf(&b, "%s: %d\n", text("unproven"), n)
	}
	for _, gap := range r.Missing {
		fmt.Fprintf(&b, "\n%s: %s %s\n", text("missing"), text(string(gap.What)), gap.Recipient)
		if gap.Request != "" {
			fmt.Fprintf(&b, "%s %s\n\n%s\n", text("until"), gap.Until, gap.Request)
		}
	}
	// Strangers wrote some of this, so it must not control the terminal.
	_, err := io.WriteString(out, strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return '?'
	}, b.String()))
	return err
}
