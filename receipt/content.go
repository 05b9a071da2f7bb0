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
	// ContentMatch: the receipt carries what was sent, or its hashes.
	ContentMatch ContentResult = "match"
	// ContentMismatch: it carries something else. Differences tell what.
	ContentMismatch ContentResult = "mismatch"
	// ContentAbsent: it carries no original, though the sender asked for it and the
	// recipient is one of To.
	ContentAbsent ContentResult = "absent"
	// ContentUnchecked: it carries no original, and none was to be expected: a concise
	// receipt was asked for, or the recipient is one of Cc (RFC 6109, 3.3.2). Or what it
	// carries is what was sent, and may be its beginning only (envelope.WarningFurtherParts).
	ContentUnchecked ContentResult = "unchecked"
)

// Content is the verdict on the content of one delivery. The zero Content is none.
type Content struct {
	Result ContentResult
	// Reading is how the recipient's provider reads the rule on the hashes of a brief
	// receipt; "" where there is no hash. Where several fit it is one that proves less
	// than HashDecoded.
	Reading HashReading
	// Differences are what is not as it was sent. Empty unless Result is ContentMismatch.
	Differences []Difference
}

// Difference is one thing that was delivered differently.
type Difference struct {
	What   string // the name of a header field, "header", "body", or the name of an attachment
	Detail string // for people
}

// CheckContent compares a message, as it was sent, with what a delivery receipt
// about it carries: RFC 6109, 3.3.2. sent is the exact message, as the Submitter
// read it.
//
// In a full receipt every line of the header has to be the same, except the folding
// and order of fields, the identifier and the trace that a provider rewrites, and the
// X- fields it adds: those are printable ASCII, and none that mail programs act upon.
// The body has to be the same octets, except the kind of line ends and their number at
// the very end. In a brief one each attachment is represented by its SHA-1, and all
// else has to be the same. A receipt that cites another Message-ID is a mismatch
// whatever it carries.
//
// Memory does not grow with the message. A notice that was not proven gives
// receipt.ErrNotProven; any other error means that one of the two could not be read.
func CheckContent(sent *io.SectionReader, d *Delivery) (Content, error) {
	if d == nil || !d.Evidence().Proven() {
		return Content{}, ErrNotProven
	}
	ours, err := readContent(sent)
	if err != nil {
		return Content{}, fmt.Errorf("receipt: the message sent: %w", err)
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
		return mismatch(Difference{"header", err.Error()}), nil
	}
	if err != nil {
		return Content{}, fmt.Errorf("receipt: the original delivered: %w", err)
	}
	result, err := compareContents(ours, theirs, d.Detail == DetailBrief)
	if err != nil {
		return Content{}, fmt.Errorf("receipt: comparing what was sent with what was delivered: %w", err)
	}
	if result.Result == ContentMatch && slices.Contains(d.Evidence().Warnings, envelope.WarningFurtherParts) {
		return Content{Result: ContentUnchecked}, nil // it may be the beginning of more
	}
	return result, nil
}

// compareContents compares two messages, the second of which may hold hashes.
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

// content is a message of which the header is read.
type content struct {
	header header.Header
	fields []field // the same as it is compared
	top    node    // its raw bytes are the body alone
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

// withoutOriginal judges a receipt that carries nothing. A kind of receipt that is
// not in the rules means full, and who is not clearly in Cc alone counts as To: RFC
// 6109, 3.3.2.1.
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

// comparison collects what is different.
type comparison struct {
	brief       bool
	differences []Difference
	hashes      bool          // a hash stands for an attachment
	readings    []HashReading // that fit every hash so far
}

func (c *comparison) differ(what, format string, args ...any) {
	c.differences = append(c.differences, Difference{what, fmt.Sprintf(format, args...)})
}
