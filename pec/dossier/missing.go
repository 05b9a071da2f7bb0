package dossier

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// Missing is evidence that should exist and is not in the dossier.
type Missing struct {
	What      Gap    `json:"what"`
	Recipient string `json:"recipient"` // the recipient it is about; "" for all
	// Domain is a domain of the provider whose log has the evidence; "" when no provider
	// can be asked. Provider is the provider's name; "" when no notice states it.
	Domain   string `json:"domain"`
	Provider string `json:"provider"`
	// Until is the last day on which the log has the evidence, YYYY-MM-DD; "" when no
	// provider can be asked. Providers keep their logs for thirty months (DPR 68/2005, art.
	// 11).
	Until string `json:"until"`
	// Request is a letter in Italian that asks the provider for the evidence; "" when no
	// provider can be asked.
	Request string `json:"request"`
}

// Gap is a kind of missing evidence. The set is closed.
type Gap string

// The gaps.
const (
	GapOriginal   Gap = "original"   // the message as it was sent
	GapAcceptance Gap = "acceptance" // the acceptance, or the notice of non-acceptance
	GapOutcome    Gap = "outcome"    // the delivery receipt, or the final notice of non-delivery
	GapContent    Gap = "content"    // the delivery receipt does not carry the original, although it should
)

// logMonths is how many months a provider keeps its log (DPR 68/2005, art. 11).
const logMonths = 30

// addMissing adds what is missing to the report of a message that was sent.
func (a *assessment) addMissing(r *Report) {
	if r.Original == nil {
		r.Missing = append(r.Missing, Missing{What: GapOriginal})
	}
	until, providers := a.logUntil(), a.providers()
	ask := func(what Gap, recipient, domain string) {
		m := Missing{What: what, Recipient: recipient, Domain: domain, Provider: providers[domain], Until: until.Format(time.DateOnly)}
		m.Request = request(r, m, until)
		r.Missing = append(r.Missing, m)
	}
	judged := slices.ContainsFunc(a.proofs, func(m *message) bool {
		return m.kind == envelope.KindAcceptance || m.kind == envelope.KindNonAcceptance
	})
	asked := judged
	for _, to := range r.Recipients {
		switch to.State {
		case "submitted", "uncertain", "ordinary", "accepted", "delayed", "expired", "failed", "delivered", "bounced":
			if !asked {
				ask(GapAcceptance, "", domainOf(r.Sender))
				asked = true
			}
		}
		switch to.State {
		case "accepted", "delayed":
			ask(GapOutcome, to.Address, domainOf(to.Address))
		case "delivered":
			if to.Content == receipt.ContentAbsent {
				r.Missing = append(r.Missing, Missing{What: GapContent, Recipient: to.Address})
			}
		}
	}
}

func domainOf(address string) string {
	return envelope.NormalizeAddress(address[strings.LastIndexByte(address, '@')+1:])
}

// providers returns the name of the provider of each domain, as the first notice by that
// provider states it.
func (a *assessment) providers() map[string]string {
	providers := map[string]string{}
	for _, m := range a.proofs {
		about := ""
		switch m.kind {
		case envelope.KindAcceptance, envelope.KindNonAcceptance, envelope.KindDeliveryDelay:
			about = m.proof.Sender
		case envelope.KindDelivery:
			about = m.proof.Recipient
		}
		if about == "" {
			continue
		}
		if _, known := providers[domainOf(about)]; !known {
			providers[domainOf(about)] = m.proof.Provider
		}
	}
	return providers
}

// logUntil returns the last day on which the providers' logs have the message. It counts
// from the earliest time known, so it may be too early but never too late.
func (a *assessment) logUntil() time.Time {
	var first time.Time
	for _, m := range a.proofs {
		if first.IsZero() || m.at.Before(first) {
			first = m.at
		}
	}
	if i := a.facts.Intent; first.IsZero() && i != nil {
		first = i.At
	}
	return addMonths(first, logMonths)
}

// addMonths adds months to a date. In a month that is too short for the day it returns the
// last day.
func addMonths(t time.Time, months int) time.Time {
	year, month, day := t.Date()
	last := time.Date(year, month+time.Month(months)+1, 0, 0, 0, 0, 0, t.Location())
	return time.Date(last.Year(), last.Month(), min(day, last.Day()), 0, 0, 0, 0, t.Location())
}

// request returns the letter that asks a provider for an extract of its log (DPR 68/2005,
// art. 11). It is in Italian, as PEC providers are.
func request(r *Report, m Missing, until time.Time) string {
	what := "la ricevuta di accettazione o l'avviso di non accettazione"
	if m.What == GapOutcome {
		what = "la ricevuta di avvenuta consegna o l'avviso di mancata consegna per il destinatario " + m.Recipient
	}
	to := m.Provider
	if to == "" {
		to = "Gestore di posta elettronica certificata del dominio " + m.Domain
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Spett.le %s", to)
	line("")
	line("Oggetto: richiesta di estratto dal log dei messaggi di posta elettronica certificata (art. 11, d.P.R. 11 febbraio 2005, n. 68)")
	line("")
	line("Si chiede il rilascio delle informazioni contenute nel log dei messaggi relative all'invio sotto indicato, per il quale non è disponibile %s.", what)
	line("")
	line("Mittente: %s", r.Sender)
	if m.Recipient != "" {
		line("Destinatario: %s", m.Recipient) // this provider need not learn about the others
	} else {
		for _, to := range r.Recipients {
			line("Destinatario: %s", to.Address)
		}
	}
	line("Oggetto del messaggio: %s", r.Subject)
	line("Message-ID (msgid): <%s>", r.MessageID)
	if r.CertID != "" {
		line("Identificativo del messaggio: %s", r.CertID)
	}
	if r.SentAt != "" {
		line("Accettazione: %s, gestore %s", legalTime(r.SentAt, LanguageItalian), r.Provider)
	}
	line("")
	line("Si chiede in particolare di indicare, per ciascun evento registrato, la data e l'ora, il mittente, il destinatario, il tipo di evento e l'esito, e di trasmettere copia della ricevuta o dell'avviso emesso.")
	line("Le informazioni sono conservate dal gestore per trenta mesi: per questo invio, fino al %s.", until.Format("02/01/2006"))
	line("")
	b.WriteString("Distinti saluti")
	return b.String()
}
