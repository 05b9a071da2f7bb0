package receipt

import (
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/mailtext"
	"github.com/gopec/gopec/internal/multipart"
)

// ContentResult says whether a delivery receipt proves what was delivered. The set
// is closed.
type ContentResult string

// The results.
const (
	// ContentMatch: the receipt carries what was sent, or hashes of it.
	ContentMatch ContentResult = "match"
	// ContentMismatch: the receipt carries something else. See Content.Differences.
	ContentMismatch ContentResult = "mismatch"
	// ContentAbsent: the receipt carries no original, although it should: the sender
	// asked for one, and the recipient is in To.
	ContentAbsent ContentResult = "absent"
	// ContentUnchecked: the receipt carries no original, and need not: the sender asked
	// for a concise receipt, or the recipient is only in Cc (RFC 6109, 3.3.2). Or the
	// original equals what was sent, but may have been cut short
	// (envelope.WarningFurtherParts).
	ContentUnchecked ContentResult = "unchecked"
)

// Content is what CheckContent found about one delivery. The zero Content is no result.
type Content struct {
	Result ContentResult
	// Reading is how the recipient's provider computes the hashes of a brief receipt; ""
	// when the receipt has none. If several readings fit all hashes, it is one that
	// proves less than HashDecoded.
	Reading HashReading
	// Differences lists what was delivered differently. It is empty unless Result is
	// ContentMismatch.
	Differences []Difference
}

// Difference is one thing that was delivered differently. Dossiers hold these texts, and are
// verified by writing them again: each text stays as it is.
type Difference struct {
	What string // the name of a header field, "header", "body", or the name of an attachment
	Text string `json:"Detail"` // what differs, for people
}

// CheckContent compares a message with what a delivery receipt about it carries (RFC
// 6109, 3.3.2). sent is the message exactly as it was handed to the sender's provider.
//
// In a full receipt every header field must be the same, in any order and with any
// folding. The provider may replace the Message-ID, add its trace (Received, Return-Path),
// and add X- fields of its own; those must be printable ASCII, and none that mail programs
// act upon. The body must be the same bytes; only the kind of line ends, and their number
// at the very end, may differ. A brief receipt has the SHA-1 of each attachment in its
// place, and everything else must be the same. A receipt that cites another Message-ID is
// a mismatch, whatever it carries.
//
// Memory use does not grow with the message. If d was not made by Open or New, the error
// is ErrNotProven. Any other error means that the message or the original in the receipt
// could not be read.
func CheckContent(sent *io.SectionReader, d *Delivery) (Content, error) {
	if d == nil || !d.Evidence().Proven() {
		return Content{}, ErrNotProven
	}
	ours, err := readContent(sent)
	if err != nil {
		return Content{}, fmt.Errorf("receipt: reading the message that was sent: %w", err)
	}
	if id := ours.header.Get("Message-ID"); id != "" && !envelope.SameMessageID(id, d.MessageID) {
		return mismatch(Difference{"Message-ID", fmt.Sprintf("the receipt is about %.200q", d.MessageID)}), nil
	}
	original, err := d.Original()
	if err != nil {
		return Content{Result: ours.withoutOriginal(d.Recipient)}, nil
	}
	theirs, err := readContent(original)
	if errors.Is(err, header.ErrTooLarge) {
		return mismatch(Difference{"header", "header: too large"}), nil
	}
	if err != nil {
		return Content{}, fmt.Errorf("receipt: reading the original in the receipt: %w", err)
	}
	result, err := compareContents(ours, theirs, d.Detail == DetailBrief)
	if err != nil {
		return Content{}, fmt.Errorf("receipt: comparing the message that was sent with the original in the receipt: %w", err)
	}
	if result.Result == ContentMatch && slices.Contains(d.Evidence().Warnings, envelope.WarningFurtherParts) {
		return Content{Result: ContentUnchecked}, nil // the original may have been cut short
	}
	return result, nil
}

// compareContents compares two messages. If brief is set, the second may hold hashes.
func compareContents(ours, theirs content, brief bool) (Content, error) {
	c := comparison{brief: brief && !isEncapsulated(ours.top.part)}
	replaced, err := c.isReplaced(ours.top, theirs.top)
	if err != nil {
		return Content{}, err
	}
	c.compareHeader(ours, theirs, replaced)
	if c.brief {
		err = c.compareNode(ours.top, theirs.top, 0)
	} else {
		err = c.compareWhole(ours.top, theirs.top, "body")
	}
	if err != nil {
		return Content{}, err
	}
	if len(c.differences) > 0 {
		return mismatch(c.differences...), nil
	}
	return Content{Result: ContentMatch, Reading: c.reading()}, nil
}

func mismatch(differences ...Difference) Content {
	return Content{Result: ContentMismatch, Differences: differences}
}

// maxHeader is the longest header that is compared, in bytes.
const maxHeader = 1 << 20

// content is a message whose header has been read.
type content struct {
	header header.Header
	fields []field // the header in the form that is compared
	top    node    // the body; its raw bytes do not include the header
}

func readContent(message *io.SectionReader) (content, error) {
	h, size, err := header.Read(message, maxHeader)
	if err != nil {
		return content{}, err
	}
	fields, err := readFields(io.NewSectionReader(message, 0, size))
	if err != nil {
		return content{}, err
	}
	body := io.NewSectionReader(message, size, message.Size()-size)
	return content{h, fields, node{body, multipart.NewPart(h, body)}}, nil
}

// withoutOriginal returns the result for a receipt without an original. An unknown kind
// of receipt means full (RFC 6109, 3.3.2.1). A recipient counts as To unless it is only in
// Cc.
func (c content) withoutOriginal(recipient string) ContentResult {
	if strings.EqualFold(c.header.Get("X-TipoRicevuta"), DetailConcise.Token()) {
		return ContentUnchecked
	}
	if !c.addresses("To", recipient) && c.addresses("Cc", recipient) {
		return ContentUnchecked
	}
	return ContentAbsent
}

func (c content) addresses(field, recipient string) bool {
	list, _ := mailtext.ReadLists(c.header.Values(field))
	return slices.ContainsFunc(list, func(a *mail.Address) bool { return envelope.SameAddress(a.Address, recipient) })
}

// comparison collects the differences between two messages.
type comparison struct {
	brief       bool
	differences []Difference
	hashes      bool          // at least one attachment was replaced by its hash
	readings    []HashReading // the readings that fit every hash so far
}

func (c *comparison) differ(what, format string, args ...any) {
	c.differences = append(c.differences, Difference{what, fmt.Sprintf(format, args...)})
}
