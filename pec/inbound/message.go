// Package inbound opens what others send: a PEC in its transport envelope, and ordinary
// mail, a bounce among it, in an anomaly envelope. The text, the attachments and the
// header of the original are read as far as they can be, and whatever is broken in them
// is reported beside what could be read.
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

// Message is what an envelope brings, opened: a PEC in a transport envelope (busta
// di trasporto, RFC 6109, 3.1.5), or mail that no provider certifies in an anomaly
// envelope (busta di anomalia, 3.2.2). Open makes it.
//
// The fields from Sender to AcceptedAt are what the sender's provider certifies; of
// an anomaly they are zero, for nothing of it is certified. Everything else, Header
// and the content included, is what the author wrote. In a PEC it is proven not to
// have changed since; in an anomaly anybody may have written it, under any name.
type Message struct {
	// Kind is envelope.KindTransport or envelope.KindAnomaly.
	Kind envelope.Kind

	Sender     string               // mittente: the address of the PEC mailbox that sent it
	Recipients []envelope.Recipient // destinatari: To and Cc together
	Subject    string               // oggetto, decoded
	MessageID  string               // msgid: the Message-ID the sender's client set; "" when it set none
	CertID     string               // identificativo: the provider's ID of the message, which replies refer to
	Provider   string               // gestore-emittente: free text
	AcceptedAt time.Time            // data: when the sender's provider took it, in the provider's offset

	// Header is what the header of the original says. It is not certified.
	Header Header
	// Arrived is when the mailbox got the message, as Open was told. It is not
	// certified.
	Arrived time.Time
	// Defects are what is wrong with the original and with its header.
	Defects []*Defect

	original multipart.Part
	leaves   func() ([]leaf, error)
}

// ErrNotEnvelope reports a proven message that brings nothing: a notice.
var ErrNotEnvelope = errors.New("inbound: the message is no transport or anomaly envelope")

// maxOriginalHeader is the longest header of an original that is read, in bytes.
const maxOriginalHeader = 1 << 20

// Open opens what a proven envelope brings; arrived is the mailbox's time of
// arrival, Item.Arrived. Memory does not grow with the message: its content is read
// from m, as often as it is asked for, and only until m is closed. An original that
// is broken is no error; what could not be read is told by a Defect. A notice gives
// ErrNotEnvelope, a message that was put together otherwise receipt.ErrNotProven, and
// any other error means that m could not be read.
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
		in.Defects = append(in.Defects, &Defect{"original", DefectCut, errors.New("the envelope has parts beside it")})
	}
	return in, nil
}

// leaf is a part of the original that is not taken apart.
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

// isBody tells whether a leaf is text to be shown, and not a file.
func (l leaf) isBody(mediaType string) bool {
	// RFC 2045, 5.2: what has no type is plain text.
	sameType := l.part.MediaType == mediaType || l.part.MediaType == "" && mediaType == "text/plain"
	return sameType && l.defect == nil && len(l.part.Names) == 0 && l.part.Disposition != "attachment"
}

// bodies gives the places of the text and of the HTML body among the leaves, -1
// where there is none.
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

// maxText is the longest body read, in octets of its charset.
const maxText = 4 << 20

// Text is the body in plain text, in UTF-8 with LF line ends; "" when there is
// none. It is the first text that is not a file; a text after it counts as an
// attachment. A *Defect comes with what could be read, of which no more than 4 MiB
// is; any other error means that the message could not be read.
func (in *Message) Text() (string, error) {
	leaves, err := in.leaves()
	if err != nil {
		return "", err
	}
	text, _ := bodies(leaves)
	return readBody("text", leaves, text)
}

// HTML is the body in HTML, as Text is that in plain text. It is as its author
// wrote it: not safe to show as it stands, and it need not say what Text says.
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
	octets, err := io.ReadAll(io.LimitReader(p.Open(), maxText+1))
	defect := asDefect(where, err)
	if err != nil && defect == nil {
		return "", fmt.Errorf("inbound: reading the original: %w", err)
	}
	if len(octets) > maxText {
		octets = octets[:maxText]
		defect = &Defect{where, DefectTooLong, multipart.ErrTooLarge}
	}
	text, sure := charset.Decode(p.Charset, octets)
	if !sure && defect == nil {
		defect = &Defect{where, DefectCharset, fmt.Errorf("not in %.100q", p.Charset)}
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if defect != nil {
		return text, defect
	}
	return text, nil
}
