package main

import (
	"fmt"
	"strings"
)

// The addresses, identifiers and times that the scenarios share.
const (
	sender    = "mario.rossi@pec.sender.example"
	recipient = "ufficio@pec.recipient.example"
	ordinary  = "anna@mail.example"
	messageID = "2b4e01d7f0c9@client.sender.example"
	certID    = "opec300.20250310103000.01234.56.1.7@pec.vector.example"
	subject   = "Offerta n. 42"
)

// Tokens of daticert.xml.
const (
	accettazione   = "accettazione"
	nonAccettaz    = "non-accettazione"
	presaInCarico  = "presa-in-carico"
	consegna       = "avvenuta-consegna"
	erroreConsegna = "errore-consegna"
	preavviso      = "preavviso-errore-consegna"
	virus          = "rilevazione-virus"
	trasporto      = "posta-certificata"
	anomalia       = "anomalia" // not a token: an anomaly envelope has no daticert.xml
)

// kindOf returns the English name of a token.
func kindOf(token string) string {
	switch strings.ToLower(strings.TrimSpace(token)) {
	case accettazione:
		return "acceptance"
	case nonAccettaz:
		return "non-acceptance"
	case presaInCarico:
		return "take-in-charge"
	case consegna:
		return "delivery"
	case erroreConsegna:
		return "non-delivery"
	case preavviso:
		return "delivery-delay"
	case virus:
		return "virus-detection"
	case trasporto:
		return "transport"
	case anomalia, "errore":
		return "anomaly"
	case "":
		return "none"
	default:
		return "unknown"
	}
}

// certData is the content of daticert.xml. An empty field leaves its element out.
type certData struct {
	tipo, errore    string
	mittente        string
	destinatari     [][2]string // address and class; an empty class leaves the attribute out
	risposte        string
	oggetto         string
	gestore         string
	zona            string
	giorno, ora     string
	identificativo  string
	msgid           string // without angle brackets
	ricevuta        string
	consegna        string
	ricezione       []string
	esteso          string
	withoutBrackets bool // writes msgid without angle brackets
}

// newCertData returns the data that RFC 6109 4.4 demands of a kind, as real messages have them.
func newCertData(tipo string) certData {
	d := certData{
		tipo:           tipo,
		errore:         "nessuno",
		mittente:       sender,
		destinatari:    [][2]string{{recipient, "certificato"}},
		risposte:       sender,
		oggetto:        subject,
		gestore:        "Vector PEC S.p.A.",
		zona:           "+0100",
		giorno:         "10/03/2025",
		ora:            "10:30:00",
		identificativo: certID,
		msgid:          messageID,
	}
	switch tipo {
	case accettazione:
		d.destinatari = append(d.destinatari, [2]string{ordinary, "esterno"})
	case nonAccettaz:
		d.errore, d.esteso = "altro", "il destinatario in copia nascosta non e' ammesso"
	case presaInCarico:
		d.ricezione = []string{recipient}
	case trasporto:
		d.ricevuta = "completa"
	case consegna:
		d.ricevuta, d.consegna = "completa", recipient
	case erroreConsegna:
		d.errore, d.consegna, d.esteso = "no-dest", recipient, "5.1.1 - Vector PEC S.p.A. - indirizzo non valido"
	case preavviso:
		d.errore, d.consegna, d.esteso = "altro", recipient, "messaggio non consegnato nelle prime dodici ore"
	case virus:
		d.errore, d.consegna, d.esteso = "virus", recipient, "EICAR-Test-File"
	}
	return d
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// xml renders the data as the Aruba family of engines does: indented by four blanks, with a self-closing ricevuta.
func (d *certData) xml() string {
	var b strings.Builder
	element := func(depth int, name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s<%s>%s</%s>\n", strings.Repeat("    ", depth), name, escape(value), name)
		}
	}
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	fmt.Fprintf(&b, "<postacert tipo=\"%s\" errore=\"%s\">\n    <intestazione>\n", d.tipo, d.errore)
	element(2, "mittente", d.mittente)
	for _, r := range d.destinatari {
		class := ""
		if r[1] != "" {
			class = fmt.Sprintf(" tipo=\"%s\"", r[1])
		}
		fmt.Fprintf(&b, "        <destinatari%s>%s</destinatari>\n", class, r[0])
	}
	element(2, "risposte", d.risposte)
	element(2, "oggetto", d.oggetto)
	b.WriteString("    </intestazione>\n    <dati>\n")
	element(2, "gestore-emittente", d.gestore)
	fmt.Fprintf(&b, "        <data zona=\"%s\">\n", d.zona)
	element(3, "giorno", d.giorno)
	element(3, "ora", d.ora)
	b.WriteString("        </data>\n")
	element(2, "identificativo", d.identificativo)
	if d.msgid != "" {
		value := "<" + d.msgid + ">"
		if d.withoutBrackets {
			value = d.msgid
		}
		element(2, "msgid", value)
	}
	if d.ricevuta != "" {
		fmt.Fprintf(&b, "        <ricevuta tipo=\"%s\" />\n", d.ricevuta)
	}
	element(2, "consegna", d.consegna)
	for _, r := range d.ricezione {
		element(2, "ricezione", r)
	}
	element(2, "errore-esteso", d.esteso)
	b.WriteString("    </dati>\n</postacert>\n")
	return b.String()
}

// cause returns the cause of a failure. The code decides before errore, since providers write altro where they mean
// no-dest.
func (d *certData) cause() string {
	switch kindOf(d.tipo) {
	case "non-acceptance", "non-delivery":
	default:
		return ""
	}
	for code, cause := range map[string]string{
		"5.1.1": "unknown-address", "5.2.2": "mailbox-full", "5.2.1": "mailbox-disabled", "5.4.1": "timeout",
	} {
		if d.code() == code {
			return cause
		}
	}
	switch d.errore {
	case "no-dest":
		return "unknown-address"
	case "no-dominio":
		return "no-domain"
	case "virus":
		return "virus"
	}
	if kindOf(d.tipo) == "non-acceptance" {
		return "formal"
	}
	return "other"
}

// code is the enhanced status code inside errore-esteso. The scenarios only write these.
func (d *certData) code() string {
	for _, code := range []string{"5.1.1", "5.2.2", "5.2.1", "5.4.1", "5.5.1"} {
		if strings.Contains(d.esteso, code) {
			return code
		}
	}
	return ""
}

// fields returns the facts that a verifier must find.
func (d *certData) fields() map[string]string {
	day, clock := strings.TrimSpace(d.giorno), strings.TrimSpace(d.ora)
	var recipients []string
	for _, r := range d.destinatari {
		class := "certified"
		if r[1] == "esterno" {
			class = "ordinary"
		}
		recipients = append(recipients, r[0]+":"+class)
	}
	found := map[string]string{
		"sender":       d.mittente,
		"recipients":   strings.Join(recipients, " "),
		"replyTo":      d.risposte,
		"subject":      d.oggetto,
		"provider":     d.gestore,
		"time":         fmt.Sprintf("%s-%s-%sT%s%s:%s", day[6:], day[3:5], day[:2], clock, d.zona[:3], d.zona[3:]),
		"certID":       d.identificativo,
		"messageID":    d.msgid,
		"requested":    map[string]string{"completa": "full", "breve": "brief", "sintetica": "concise"}[d.ricevuta],
		"recipient":    d.consegna,
		"takenCharge":  strings.Join(d.ricezione, " "),
		"detail":       d.esteso,
		"code":         d.code(),
		"cause":        d.cause(),
		"errorToken":   d.errore,
		"unknownToken": "",
	}
	if kindOf(d.tipo) == "unknown" {
		found["unknownToken"] = d.tipo
	}
	return found
}
