package pectest

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// daticert writes the certification data of a notice (RFC 6109, 4.4) in the layout of the
// style's engine. The most common engine indents by four blanks, ends lines with LF and
// writes a blank before "/>".
func daticert(n Notice, style Style) []byte {
	var out strings.Builder
	indent, receipt := "    ", `<ricevuta tipo="%s" />`
	if style.Engine == EngineInfoCert {
		indent, receipt = " ", `<ricevuta tipo="%s"></ricevuta>`
	}
	line := func(depth int, format string, args ...any) {
		out.WriteString(strings.Repeat(indent, depth))
		fmt.Fprintf(&out, format, args...)
		out.WriteByte('\n')
	}
	element := func(depth int, name, value string) {
		line(depth, "<%s>%s</%s>", name, escapeXML(value), name)
	}
	line(0, `<?xml version="1.0" encoding="UTF-8"?>`)
	line(0, `<postacert tipo="%s" errore="%s">`, escapeXML(n.Kind), escapeXML(n.Error))
	line(1, "<intestazione>")
	element(2, "mittente", n.Sender)
	for _, r := range n.Recipients {
		line(2, `<destinatari tipo="%s">%s</destinatari>`, escapeXML(r.Type), escapeXML(r.Address))
	}
	element(2, "risposte", n.ReplyTo)
	if n.Subject != "" && !style.NoSubject {
		element(2, "oggetto", n.Subject)
	}
	line(1, "</intestazione>")
	line(1, "<dati>")
	element(2, "gestore-emittente", n.Provider)
	line(2, `<data zona="%s">`, n.Time.Format("-0700"))
	element(3, "giorno", n.Time.Format("02/01/2006"))
	element(3, "ora", n.Time.Format("15:04:05"))
	line(2, "</data>")
	element(2, "identificativo", n.CertID)
	if n.MessageID != "" {
		element(2, "msgid", n.MessageID)
	}
	if n.ReceiptKind != "" {
		line(2, receipt, escapeXML(n.ReceiptKind))
	}
	if n.Delivered != "" {
		element(2, "consegna", n.Delivered)
	}
	for _, address := range n.TakenInCharge {
		element(2, "ricezione", address)
	}
	if n.ErrorText != "" {
		element(2, "errore-esteso", n.ErrorText)
	}
	line(1, "</dati>")
	line(0, "</postacert>")
	return []byte(out.String())
}

func escapeXML(s string) string {
	var out strings.Builder
	// Writing to a strings.Builder never fails.
	_ = xml.EscapeText(&out, []byte(s))
	return out.String()
}

// daticertData is the certification data that the receiving provider reads.
type daticertData struct {
	Kind       string `xml:"tipo,attr"`
	Sender     string `xml:"intestazione>mittente"`
	Recipients []struct {
		Type    string `xml:"tipo,attr"`
		Address string `xml:",chardata"`
	} `xml:"intestazione>destinatari"`
	ReplyTo   string `xml:"intestazione>risposte"`
	Subject   string `xml:"intestazione>oggetto"`
	CertID    string `xml:"dati>identificativo"`
	MessageID string `xml:"dati>msgid"`
	Receipt   struct {
		Kind string `xml:"tipo,attr"`
	} `xml:"dati>ricevuta"`
	Delivered   string   `xml:"dati>consegna"`
	TakenCharge []string `xml:"dati>ricezione"`
}

// notice returns the beginning of another notice about the same dispatch.
func (d *daticertData) notice(kind string) Notice {
	n := Notice{Kind: kind, Sender: d.Sender, ReplyTo: d.ReplyTo, Subject: d.Subject, CertID: d.CertID, MessageID: d.MessageID}
	for _, r := range d.Recipients {
		n.Recipients = append(n.Recipients, Recipient{Address: r.Address, Type: r.Type})
	}
	return n
}

func parseDaticert(data []byte) (*daticertData, error) {
	var d daticertData
	if err := xml.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("daticert.xml: %w", err)
	}
	return &d, nil
}
