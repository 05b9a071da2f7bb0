package pectest

import (
	"mime"
	"slices"
	"strings"
	"time"
)

// The kinds of a message: the values of tipo in the certification data (RFC 6109, 4.4).
// They are the Italian words on the wire, not those of envelope.Kind. The header repeats
// them in X-Ricevuta, or in X-Trasporto for KindTransport.
const (
	KindAcceptance     = "accettazione"
	KindNonAcceptance  = "non-accettazione"
	KindTransport      = "posta-certificata"
	KindTakeInCharge   = "presa-in-carico"
	KindDelivery       = "avvenuta-consegna"
	KindNonDelivery    = "errore-consegna"
	KindDeliveryDelay  = "preavviso-errore-consegna"
	KindVirusDetection = "rilevazione-virus"
	// KindAnomaly is the anomaly envelope (busta di anomalia, RFC 6109, 3.2.2). It is the
	// value of X-Trasporto, because an anomaly has no certification data.
	KindAnomaly = "errore"
)

// The kinds of a delivery notice (RFC 6109, 3.3.2), in Italian: not those of receipt.Detail.
const (
	ReceiptFull    = "completa"
	ReceiptBrief   = "breve"
	ReceiptConcise = "sintetica"
)

// The classes of a recipient (RFC 6109, 2.2.1).
const (
	RecipientCertified = "certificato"
	RecipientOrdinary  = "esterno"
)

// Recipient is one destinatari element.
type Recipient struct {
	Address string
	Type    string // RecipientCertified or RecipientOrdinary; empty means certified, as in the DTD
}

// Notice is what a provider certifies: the fields of daticert.xml (RFC 6109, 4.4) and the
// original message. [Provider.Emit] makes a signed message from it. Nothing is checked, so
// a test may build a notice that contradicts itself.
type Notice struct {
	Kind          string      // tipo: one of the Kind constants, or any other token
	Error         string      // errore: nessuno, no-dest, no-dominio, virus or altro; empty means nessuno
	Sender        string      // mittente: the bare address, which notices are sent to
	Recipients    []Recipient // destinatari: all recipients of the original
	ReplyTo       string      // risposte; empty means Sender
	Subject       string      // oggetto, decoded; empty leaves it out
	Provider      string      // gestore-emittente; empty means the provider's Name
	Time          time.Time   // data and zona, in its own location; zero means now, in legal Italian time
	CertID        string      // identificativo, without angle brackets; empty means a new one
	MessageID     string      // msgid: the original's Message-ID as it is written, with angle brackets as a rule; empty leaves it out
	ReceiptKind   string      // ricevuta: one of the Receipt constants; empty means full for envelopes and deliveries, none for others
	Delivered     string      // consegna: the recipient concerned; empty leaves it out
	TakenInCharge []string    // ricezione: the recipients taken in charge
	ErrorText     string      // errore-esteso; empty leaves it out

	// Original becomes postacert.eml, byte for byte. Nil leaves it out: only envelopes, and
	// deliveries that are not concise, have one.
	Original []byte
	// Header replaces the unsigned outer fields of the same names that Emit would write,
	// and adds others. A field with an empty Value is left out.
	Header []Field
	// Style is how the message is written. Nil means the provider's own style.
	Style *Style
}

// complete fills in what the zero values of a notice mean.
func (p *Provider) complete(n Notice) Notice {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	if n.Time.IsZero() {
		n.Time = p.network.now()
	}
	fill(&n.Error, "nessuno")
	fill(&n.ReplyTo, n.Sender)
	fill(&n.Provider, p.name)
	fill(&n.CertID, p.network.ids.certID(n.Time, p.domain))
	if n.Kind == KindTransport || n.Kind == KindDelivery {
		fill(&n.ReceiptKind, ReceiptFull)
	}
	n.Recipients = slices.Clone(n.Recipients)
	for i := range n.Recipients {
		fill(&n.Recipients[i].Type, RecipientCertified)
	}
	return n
}

// header returns the outer fields, in the order of the most common engine.
func (p *Provider) header(n Notice) []Field {
	subject := Field{"Subject", fold("Subject", n.subjectPrefix()+mime.QEncoding.Encode("UTF-8", n.Subject))}
	reference := Field{"X-Riferimento-Message-ID", n.MessageID}
	date := Field{"Date", n.Time.Format(dateLayout)}
	var fields []Field
	if n.Kind == KindTransport {
		fields = []Field{
			// The empty fields mark the places of those that the access point passes on.
			{"Return-Path", "<" + n.Sender + ">"}, {"Received", ""}, subject, reference, date, {"Reply-To", n.ReplyTo},
			{"To", fold("To", addressList(n.Recipients))}, {"Cc", ""}, {"X-Trasporto", KindTransport},
			{"From", `"Per conto di: ` + n.Sender + `" <` + p.ServiceAddress() + ">"},
			{"Message-ID", "<" + n.CertID + ">"},
		}
	} else if n.Kind == KindAnomaly {
		fields = []Field{
			{"Return-Path", "<" + n.Sender + ">"}, {"Received", ""}, subject, date, {"Reply-To", n.ReplyTo},
			{"To", fold("To", addressList(n.Recipients))}, {"Cc", ""}, {"X-Trasporto", KindAnomaly},
			{"From", `"Per conto di: ` + n.Sender + `" <` + p.ServiceAddress() + ">"},
			{"Message-ID", "<" + p.network.ids.noticeID(n.Time, p.domain) + ">"},
		}
	} else {
		fields = []Field{
			{"Return-Path", "<" + p.ServiceAddress() + ">"}, subject, reference, date, {"To", n.Sender},
			{"X-Ricevuta", n.Kind}, {"From", p.ServiceAddress()},
			{"Message-ID", "<" + p.network.ids.noticeID(n.Time, p.domain) + ">"},
		}
		if n.Error == "virus" && n.Kind != KindVirusDetection {
			fields = append(fields, Field{"X-VerificaSicurezza", "errore"})
		}
	}
	return mergeHeader(fields, n.Header)
}

// mergeHeader replaces fields by those of the same name in override, and appends the other
// fields of override. Empty fields are left out.
func mergeHeader(fields, override []Field) []Field {
	var out []Field
	done := make(map[string]bool)
	same := func(name string) func(Field) bool {
		return func(f Field) bool { return strings.EqualFold(f.Name, name) }
	}
	add := func(f Field) {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	for _, f := range fields {
		if !slices.ContainsFunc(override, same(f.Name)) {
			add(f)
			continue
		}
		if !done[strings.ToLower(f.Name)] {
			done[strings.ToLower(f.Name)] = true
			for _, o := range override {
				if same(f.Name)(o) {
					add(o)
				}
			}
		}
	}
	for _, o := range override {
		if !done[strings.ToLower(o.Name)] {
			add(o)
		}
	}
	return out
}

func addressList(recipients []Recipient) string {
	addresses := make([]string, len(recipients))
	for i, r := range recipients {
		addresses[i] = r.Address
	}
	return strings.Join(addresses, ", ")
}
