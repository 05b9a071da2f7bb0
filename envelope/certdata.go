package envelope

import "time"

// CertData is the certification data (dati di certificazione) of a PEC message: what
// the provider certifies in daticert.xml (RFC 6109, 4.4). The comment of each field
// begins with its XML name. Values are trimmed, and otherwise as the provider wrote
// them, except where the comment says so. An absent element leaves the zero value.
type CertData struct {
	Kind  Kind   // from tipo; KindUnknown when the token is not in the rules
	Token string // tipo, verbatim

	Sender     string      // mittente: MAIL FROM of the original message
	Recipients []Recipient // destinatari: all of To and Cc, in the provider's order
	ReplyTo    string      // risposte
	Subject    string      // oggetto: any text, written by the sender

	Provider  string    // gestore-emittente: who issued this message; free text, not an identifier
	Time      time.Time // data: the time of the event, to the second, in the provider's own offset
	CertID    string    // identificativo: the provider's ID of the original, the same in every message about it; without angle brackets
	MessageID string    // msgid: the Message-ID that the sender's client set, without angle brackets

	Receipt       string   // ricevuta tipo: the delivery receipt the sender asked for, verbatim
	Recipient     string   // consegna: the one recipient this message is about, delivered or not; "" in kinds without one
	TakenInCharge []string // ricezione: the recipients taken in charge

	ErrorToken string // errore, verbatim; "" when absent, which means nessuno (none)
	ErrorText  string // errore-esteso, verbatim
}

// Recipient is one recipient as the sender's provider classified it.
type Recipient struct {
	Address   string
	Certified bool   // tipo is certificato: a PEC mailbox. Any other recipient gets ordinary mail
	Token     string // tipo, verbatim; "" when absent, which means certificato
}

// HasError reports whether errore names an error. A token that is not in the rules
// counts as an error too.
func (c *CertData) HasError() bool {
	return c.ErrorToken != "" && !sameToken(c.ErrorToken, "nessuno")
}

// incomplete returns the first element that daticert.xml lacks for its kind, "" when
// it lacks none. The elements that RFC 6109 marks optional, and those that real
// providers leave out (risposte, oggetto, errore), are not required.
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

// contradictory reports whether the data announce a success and an error at once.
func (c *CertData) contradictory() bool {
	switch c.Kind {
	case KindAcceptance, KindDelivery, KindTakeInCharge, KindTransport:
		return c.HasError()
	default:
		return false
	}
}
