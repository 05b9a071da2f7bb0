package dossier

import (
	"strings"
	"time"
	"unicode"
)

// Language is the language of a page. The set is closed.
type Language string

// The languages.
const (
	LanguageItalian Language = "it"
	LanguageEnglish Language = "en"
)

// words are the tokens in words for people: in Italian, then in English. They are part of
// every dossier. A change of any of them needs another Form.
var words = map[string][2]string{
	// Kinds of messages: RFC 6109, 2.1.
	"acceptance":      {"Ricevuta di accettazione", "Acceptance receipt"},
	"non-acceptance":  {"Avviso di non accettazione", "Notice of non-acceptance"},
	"take-in-charge":  {"Ricevuta di presa in carico", "Take-in-charge receipt"},
	"delivery":        {"Ricevuta di avvenuta consegna", "Delivery receipt"},
	"non-delivery":    {"Avviso di mancata consegna", "Notice of non-delivery"},
	"delivery-delay":  {"Avviso di mancata consegna per superamento dei tempi", "Notice of delivery delay"},
	"virus-detection": {"Avviso di rilevazione virus", "Notice of virus detection"},
	"transport":       {"Busta di trasporto", "Transport envelope"},
	"anomaly":         {"Busta di anomalia", "Anomaly envelope"},
	"unknown":         {"Avviso di tipo non previsto", "Notice of an unknown kind"},

	// What our own system recorded.
	"intent":      {"Messaggio predisposto per l'invio", "Message recorded for sending"},
	"attempt":     {"Inizio della trasmissione al gestore", "Transmission to the provider begun"},
	"outcome":     {"Esito della trasmissione al gestore", "Outcome of the transmission"},
	"abandonment": {"Invio annullato prima della trasmissione", "Sending given up before transmission"},
	"resolution":  {"Esito dichiarato dall'operatore", "Outcome stated by an operator"},
	"resent":      {"Nuovo invio al destinatario", "Sent anew to the recipient"},
	"bounce":      {"Avviso di mancato recapito ordinario", "Bounce of ordinary mail"},

	// pec.State.
	"pending":   {"Non ancora trasmesso", "Not sent yet"},
	"retrying":  {"Da ritrasmettere", "To be offered again"},
	"suspended": {"Invio sospeso", "Suspended"},
	"uncertain": {"Trasmissione incerta", "Uncertain"},
	"submitted": {"Trasmesso, non ancora accettato", "Submitted, not accepted yet"},
	"refused":   {"Rifiutato in trasmissione", "Refused at submission"},
	"rejected":  {"Non accettato", "Not accepted"},
	"accepted":  {"Accettato, consegna non attestata", "Accepted, delivery not certified"},
	"ordinary":  {"Inoltrato a posta ordinaria", "Handed over to ordinary mail"},
	"bounced":   {"Respinto dalla posta ordinaria", "Bounced by ordinary mail"},
	"delayed":   {"In ritardo, esito non noto", "Delayed, outcome not known"},
	"expired":   {"Non consegnato nei termini", "Not delivered in time"},
	"failed":    {"Non consegnato", "Not delivered"},
	"delivered": {"Consegnato", "Delivered"},

	// pec.Class, and the field of a recipient.
	"certified":        {"PEC", "PEC"},
	"ordinary-class":   {"posta ordinaria", "ordinary mail"},
	"unclassified":     {"tipo non noto", "kind not known"},
	"to":               {"A", "To"},
	"cc":               {"Cc", "Cc"},
	"full":             {"completa", "full"},
	"brief":            {"breve", "brief"},
	"concise":          {"sintetica", "concise"},
	"match":            {"Contenuto identico all'originale", "Content is the original"},
	"match-encoded":    {"Le impronte sono quelle degli allegati come li codifica l'originale; la codifica non è attestata", "The hashes fit the attachments as the original encodes them; the encoding is not certified"},
	"mismatch":         {"Contenuto diverso dall'originale", "Content differs from the original"},
	"absent":           {"Contenuto assente, benché richiesto", "Content absent, though asked for"},
	"unchecked":        {"Contenuto non attestato", "Content not certified"},
	"uncompared":       {"Contenuto compreso nella ricevuta, non confrontato con l'originale", "Content is in the receipt, not compared with the original"},
	"good":             {"non revocato alla data della firma", "not revoked when it signed"},
	"unchecked-crl":    {"revoca non verificata", "revocation not checked"},
	"unknown-crl":      {"revoca non nota", "revocation not known"},
	"revoked-later":    {"revocato dopo la firma", "revoked after it signed"},
	"conflict":         {"Le ricevute riportano identificativi diversi: è partita più di una copia del messaggio.", "The notices name different identifiers: more than one copy of the message left."},
	"duplicate-send":   {"Il messaggio risulta inviato più di una volta.", "The message was sent more than once."},
	"unverified":       {"Il dossier comprende messaggi presentati come ricevute, la cui firma non è verificata: non provano nulla.", "The dossier holds messages that claim to be notices and are not proven: they prove nothing."},
	"unknown-address":  {"indirizzo inesistente", "no such address"},
	"mailbox-full":     {"casella piena", "mailbox full"},
	"mailbox-disabled": {"casella disattivata", "mailbox disabled"},
	"no-domain":        {"dominio inesistente", "no such domain"},
	"virus":            {"virus informatico", "virus"},
	"timeout":          {"superamento dei tempi", "out of time"},
	"formal":           {"eccezioni formali", "formal reasons"},
	"other":            {"altra causa", "other cause"},

	// envelope.Warning.
	"sha1-digest":        {"impronta SHA-1", "SHA-1 digest"},
	"ber":                {"firma in codifica BER", "signature in BER"},
	"lf-storage":         {"conservato con fine riga LF", "stored with LF line ends"},
	"time-skew":          {"ora della firma distante dall'ora certificata", "signing time far from the certified time"},
	"header-absent":      {"intestazione PEC mancante", "PEC header field missing"},
	"revocation-unknown": {"revoca non nota", "revocation not known"},
	"further-parts":      {"altre parti oltre a quelle previste", "parts beside those of the rules"},
}

// word returns a token in a language. An unknown token is returned as it is.
func (l Language) word(token string) string {
	pair, known := words[token]
	switch {
	case !known:
		return token
	case l == LanguageEnglish:
		return pair[1]
	default:
		return pair[0]
	}
}

// legalTime returns a time of a Report in a form for people, in the offset that was
// certified; "" if it is not a time.
func legalTime(rfc3339 string, l Language) string {
	t, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		return ""
	}
	if l == LanguageEnglish {
		return t.Format("2 Jan 2006, 15:04:05 (-0700)")
	}
	return t.Format("02/01/2006 15:04:05 (-0700)")
}

// dateOf returns a date of a Report in a form for people; "" if it is not a date.
func dateOf(date string, l Language) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return ""
	}
	if l == LanguageEnglish {
		return t.Format("2 January 2006")
	}
	return t.Format("02/01/2006")
}

// visible replaces the characters of a stranger's text that cannot be seen. Some of them,
// such as those that reverse the direction of writing, change what a person reads.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return '\ufffd'
	}, text)
}
