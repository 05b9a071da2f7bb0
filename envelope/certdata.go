package envelope

import "time"

// CertData is the certification data (dati di certificazione) of a PEC message:
// what the provider certifies, from daticert.xml (RFC 6109, 4.4). Values are
// trimmed and otherwise as the provider wrote them; an element that is absent
// leaves the zero value.
type CertData struct {
	Kind  Kind   // from tipo; KindUnknown when the token is not in the rules
	Token string // tipo, verbatim

	Sender     string      // mittente: MAIL FROM of the original message
	Recipients []Recipient // destinatari: all of To and Cc, in the provider's order
	ReplyTo    string      // risposte
	Subject    string      // oggetto, decoded; any text, written by the sender

	Provider  string    // gestore-emittente: who issued this message; free text, not a key
	Time      time.Time // data: the instant of the event, to the second, in the provider's own offset
	CertID    string    // identificativo: the provider's ID of the original, the same in every message about it
	MessageID string    // msgid: the Message-ID the sender's client set, without angle brackets

	Receipt       string   // ricevuta tipo: the delivery receipt the sender asked for, verbatim
	Recipient     string   // consegna: the one recipient this message speaks of, delivered or not; "" in kinds without one
	TakenInCharge []string // ricezione: the recipients taken in charge

	Error     string // errore, verbatim; "" when absent, which means nessuno
	ErrorText string // errore-esteso, verbatim
}

// Recipient is one recipient as the sender's provider classified it.
type Recipient struct {
	Address   string
	Certified bool   // tipo is certificato: a PEC mailbox. Others receive ordinary mail
	Token     string // tipo, verbatim; "" when absent, which means certificato
}

// HasError tells whether errore names an error. A token that is not in the rules
// is an error as well.
func (c *CertData) HasError() bool {
	return c.Error != "" && !sameToken(c.Error, "nessuno")
}

// incomplete names what daticert.xml lacks for its kind, "" when nothing. The
// elements RFC 6109 marks optional, and those that real providers leave out
// (risposte, oggetto, errore), are not asked for.
func (c *CertData) incomplete() string {
	switch {
	case c.Token == "":
		return "tipo"
	case c.Sender == "":
		return "mittente"
	case len(c.Recipients) == 0:
		return "destinatari"
	case c.Provider == "":
		return "gestore-emittente"
	case c.Time.IsZero():
		return "data"
	case c.CertID == "":
		return "identificativo"
	}
	switch c.Kind {
	case KindDelivery, KindNonDelivery, KindDeliveryDelay, KindVirusDetection:
		if c.Recipient == "" {
			return "consegna"
		}
	case KindTakeInCharge:
		if len(c.TakenInCharge) == 0 {
			return "ricezione"
		}
	}
	return ""
}

// contradictory tells whether the data announce a success and an error at once.
func (c *CertData) contradictory() bool {
	switch c.Kind {
	case KindAcceptance, KindDelivery, KindTakeInCharge, KindTransport:
		return c.HasError()
	default:
		return false
	}
}
