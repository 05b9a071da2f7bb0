package pectest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// check makes the formal checks of the access point on a submitted message (RFC 6109,
// 3.1.1). The text of its error is the reason in the non-acceptance notice.
func check(m entity, from string, to []string) error {
	switch len(m.all("From")) {
	case 0:
		return errors.New("manca il campo From")
	case 1:
	default:
		return errors.New("il campo From è presente più volte")
	}
	authors, err := m.addresses("From")
	if err != nil || len(authors) != 1 {
		return errors.New("il campo From non contiene un indirizzo valido")
	}
	if !strings.EqualFold(authors[0], from) {
		return fmt.Errorf("l'indirizzo del mittente %s non coincide con il campo From %s", from, authors[0])
	}
	primary, err := m.addresses("To")
	if err != nil || len(primary) == 0 {
		return errors.New("il campo To non contiene indirizzi validi")
	}
	secondary, err := m.addresses("Cc")
	if err != nil {
		return errors.New("il campo Cc non contiene indirizzi validi")
	}
	for _, f := range m.all("Bcc") {
		if unfold(f.Value) != "" {
			return errors.New("il campo Bcc contiene indirizzi")
		}
	}
	visible := append(primary, secondary...)
	for _, address := range to {
		if !containsFold(visible, address) {
			return fmt.Errorf("il destinatario %s non è presente nei campi To e Cc", address)
		}
	}
	for _, address := range visible {
		if !containsFold(to, address) {
			return fmt.Errorf("l'indirizzo %s nei campi To e Cc non è tra i destinatari", address)
		}
	}
	return nil
}

// postacert returns the original as it travels inside the envelope (RFC 6109, 2.2.1). The
// provider's identifier replaces the client's Message-ID, which moves to
// X-Riferimento-Message-ID at the end of the header, and the trace of the reception stands
// on top. All other bytes stay the same.
func postacert(m entity, certID string, received Field) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s: %s\r\n", received.Name, received.Value)
	pos, client := 0, ""
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, "Message-ID") && unfold(f.Value) != "" {
			client = unfold(f.Value)
			out.Write(m.raw[:f.start])
			fmt.Fprintf(&out, "Message-ID: <%s>\r\n", certID)
			pos = f.end
			break
		}
	}
	out.Write(m.raw[pos:m.end])
	if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteString("\r\n")
	}
	if client == "" {
		fmt.Fprintf(&out, "Message-ID: <%s>\r\n", certID)
	} else {
		fmt.Fprintf(&out, "X-Riferimento-Message-ID: %s\r\n", client)
	}
	out.Write(m.raw[m.end:])
	return out.Bytes()
}

// receiptKind returns the kind of delivery notice that the sender asks for. It is full
// unless X-TipoRicevuta has another known value (RFC 6109, 3.3.2.1).
func receiptKind(m entity) string {
	switch kind := strings.ToLower(m.get("X-TipoRicevuta")); kind {
	case ReceiptBrief, ReceiptConcise:
		return kind
	default:
		return ReceiptFull
	}
}
