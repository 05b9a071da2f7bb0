package inbound

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/charset"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
	"github.com/gopec/gopec/receipt"
)

// Message is the message inside an envelope: a PEC in a transport envelope (busta di
// trasporto, RFC 6109, 3.1.5), or uncertified mail in an anomaly envelope (busta di
// anomalia, 3.2.2). Open makes it.
//
// The fields from Sender to AcceptedAt are what the sender's provider certifies. In an
// anomaly they are zero, because nothing in it is certified. Everything else, Header and
// the content included, is what the author wrote. In a PEC it is proven not to have
// changed since; in an anomaly anybody may have written it, under any name.
type Message struct {
	// Kind is envelope.KindTransport or envelope.KindAnomaly.
	Kind envelope.Kind

	Sender     string               // mittente: the address of the PEC mailbox that sent it
	Recipients []envelope.Recipient // destinatari: To and Cc together
	Subject    string               // oggetto, decoded
	MessageID  string               // msgid: the Message-ID that the sender's client set; "" when it set none
	CertID     string               // identificativo: the provider's ID of the message, which replies refer to
	Provider   string               // gestore-emittente: free text
	AcceptedAt time.Time            // data: when the sender's provider accepted it, in the provider's offset

	// Header is the header of the original. It is not certified.
	Header Header
	// Arrived is when the mailbox received the envelope: the argument of Open. It is not
	// certified.
	Arrived time.Time
	// Defects say what is wrong with the original and with its header; nil when nothing
	// is. Text, HTML and Attachments report what is wrong with the parts.
	Defects []*Defect

	original multipart.Part
	leaves   func() ([]leaf, error)
}

// ErrNotEnvelope reports a proven message that brings no other message: a notice.
var ErrNotEnvelope = errors.New("inbound: the message is not a transport or anomaly envelope: open a notice with package receipt")

// maxOriginalHeader is the longest header of an original that is read, in bytes.
const maxOriginalHeader = 1 << 20

// Open opens the message inside a proven envelope. The time arrived is when the mailbox
// received the envelope (pec.Item.Arrived); it becomes Message.Arrived.
//
// Memory does not grow with the message: the content is read from m each time it is asked
// for, so m must stay open. A broken original is not an error: Defects say what could
// not be read. Open returns ErrNotEnvelope for a notice and receipt.ErrNotProven for a
// message that did not come from envelope.Open. Any other error means that m could not be
// read.
func Open(m *envelope.Message, arrived time.Time) (*Message, error) {
	if !m.Proven() {
		return nil, receipt.ErrNotProven
	}
	if m.Kind != envelope.KindTransport && m.Kind != envelope.KindAnomaly {
		return nil, ErrNotEnvelope
	}
	in := &Message{Kind: m.Kind, Arrived: arrived}
	if d := m.CertData; d != nil {
		in.Sender, in.Recipients, in.Subject = d.Sender, d.Recipients, d.Subject
		in.MessageID, in.CertID = d.MessageID, d.CertID
		in.Provider, in.AcceptedAt = d.Provider, d.Time
	}
	in.leaves = func() ([]leaf, error) { return nil, nil }
	original, err := m.Original()
	if err != nil {
		in.Defects = []*Defect{{"original", DefectMissing, err}}
		return in, nil
	}
	h, size, err := header.Read(original, maxOriginalHeader)
	if errors.Is(err, header.ErrTooLarge) {
		defect := &Defect{"original", DefectHeader, err}
		in.Defects = []*Defect{defect}
		in.leaves = func() ([]leaf, error) { return []leaf{{multipart.Part{Body: original}, defect}}, nil }
		return in, nil
	}
	if err != nil {
		return nil, fmt.Errorf("inbound: reading the original: %w", err)
	}
	in.original = multipart.NewPart(h, io.NewSectionReader(original, size, original.Size()-size))
	in.leaves = sync.OnceValues(in.readLeaves)
	in.Header, in.Defects = readHeader(h)
	if slices.Contains(m.Warnings, envelope.WarningFurtherParts) {
		in.Defects = append(in.Defects, &Defect{"original", DefectCut, errors.New("the envelope has further parts, which may have been cut from the original")})
	}
	return in, nil
}

// leaf is a part of the original that has no parts of its own, or is not split into them.
type leaf struct {
	part   multipart.Part
	defect *Defect // nil when it is sound
}

func (in *Message) readLeaves() ([]leaf, error) {
	var leaves []leaf
	for p, err := range multipart.Leaves(in.original) {
		defect := asDefect("attachment", err)
		if err != nil && defect == nil {
			return nil, fmt.Errorf("inbound: reading the original: %w", err)
		}
		leaves = append(leaves, leaf{p, defect})
	}
	return leaves, nil
}

// isBody reports whether a leaf is text to be shown, not a file.
func (l leaf) isBody(mediaType string) bool {
	// RFC 2045, 5.2: a part without a type is plain text.
	sameType := l.part.MediaType == mediaType || l.part.MediaType == "" && mediaType == "text/plain"
	return sameType && l.defect == nil && len(l.part.Names) == 0 && l.part.Disposition != "attachment"
}

// bodies returns the indexes of the text and of the HTML body among the leaves; -1 means
// that there is none.
func bodies(leaves []leaf) (text, html int) {
	text, html = -1, -1
	for i, l := range leaves {
		switch {
		case text < 0 && l.isBody("text/plain"):
			text = i
		case html < 0 && l.isBody("text/html"):
			html = i
		}
	}
	return text, html
}

// maxText is the longest body read, in bytes of its charset.
const maxText = 4 << 20

// Text returns the plain text body in UTF-8 with LF line ends; "" when there is none. The
// body is the first plain text that is not a file; later ones are attachments. At most 4
// MiB are read. A *Defect comes with the text that could be read; any other error means
// that the message could not be read.
func (in *Message) Text() (string, error) {
	leaves, err := in.leaves()
	if err != nil {
		return "", err
	}
	text, _ := bodies(leaves)
	return readBody("text", leaves, text)
}

// HTML returns the HTML body under the same rules as Text. It is as its author wrote it:
// it is not safe to show as it stands, and it need not say the same as Text.
func (in *Message) HTML() (string, error) {
	leaves, err := in.leaves()
	if err != nil {
		return "", err
	}
	_, html := bodies(leaves)
	return readBody("html", leaves, html)
}

func readBody(where string, leaves []leaf, at int) (string, error) {
	if at < 0 {
		return "", nil
	}
	p := leaves[at].part
	bytes, err := io.ReadAll(io.LimitReader(p.Open(), maxText+1))
	defect := asDefect(where, err)
	if err != nil && defect == nil {
		return "", fmt.Errorf("inbound: reading the original: %w", err)
	}
	if len(bytes) > maxText {
		bytes = bytes[:maxText]
		defect = &Defect{where, DefectTooLong, fmt.Errorf("%w: only its first %d bytes are read", multipart.ErrTooLarge, maxText)}
	}
	text, sure := charset.Decode(p.Charset, bytes)
	if !sure && defect == nil {
		defect = &Defect{where, DefectCharset, fmt.Errorf("charset %.100q is unknown, or the text is not in it", p.Charset)}
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if defect != nil {
		return text, defect
	}
	return text, nil
}
