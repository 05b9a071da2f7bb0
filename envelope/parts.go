package envelope

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
	"github.com/gopec/gopec/internal/spool"
)

// errNoCertData reports a signed part without certification data that may be that of an
// anomaly envelope.
var errNoCertData = errors.New("no daticert.xml")

// Limits on the direct children of the signed part: their number, and the bytes of
// each header. Providers write three or four, with headers of some 200 bytes.
const (
	maxChildren    = 16
	maxChildHeader = 8 << 10
)

// signedParts are the direct children of the signed part (RFC 6109, 4.3.3). Deeper parts
// are ignored: the author of an attached message wrote what is inside it.
type signedParts struct {
	all       []multipart.Part
	hasText   bool  // the first one is the readable text (RFC 6109, 4.3.1)
	title     title // the title of that text
	data      []int // the indexes of parts that are certification data
	originals []int // the indexes of parts that are an original message
}

// findParts finds the certification data and the original message. It fails only on
// parts that cannot be read. Missing parts are reported by checkCertData.
func (c *check) findParts() error {
	children, err := c.signedChildren()
	if err != nil {
		return err
	}
	parts, err := c.sortParts(children)
	if err != nil {
		return err
	}
	if parts.hasFurther() {
		c.warn(WarningFurtherParts)
	}
	c.findings.CertData, c.partsErr = c.readCertData(parts)
	if data := c.findings.CertData; data != nil && c.findings.Kind == KindNone {
		c.findings.Kind = data.Kind
	}
	if len(parts.originals) == 1 {
		c.original = &parts.all[parts.originals[0]]
	}
	return nil
}

// signedChildren returns the direct children of the signed part, nil when that is not
// multipart/mixed.
func (c *check) signedChildren() ([]multipart.Part, error) {
	mixed, sections := c.content.First, c.content.Children
	if err := c.content.FirstErr; err != nil {
		return nil, parseFailed(err, CodeMalformed)
	}
	if err := c.content.ChildrenErr; mixed.MediaType != "multipart/mixed" || errors.Is(err, header.ErrParams) {
		return nil, nil
	} else if err != nil {
		return nil, parseFailed(err, CodeTooLarge)
	}
	// A sender who guesses the provider's boundary can put a forged daticert.xml and the
	// end of the multipart into the original. The genuine daticert.xml then comes after
	// that end.
	if c.content.Resumed {
		return nil, failed(CodeMalformed, "a delimiter after the closing one of the signed part")
	}
	if len(sections) > maxChildren {
		return nil, failed(CodeMalformed, "%d parts in the signed part; at most %d are allowed", len(sections), maxChildren)
	}
	children := make([]multipart.Part, 0, len(sections))
	for _, section := range sections {
		p, err := multipart.ReadPart(section)
		if err == nil {
			// Providers write well-formed headers. A sender who writes many guesses of the
			// boundary, line after line, makes malformed ones.
			err = p.HeaderErr()
		}
		if err != nil {
			return nil, parseFailed(err, CodeMalformed)
		}
		if section.Size()-p.Body.Size() > maxChildHeader {
			return nil, failed(CodeMalformed, "a part with a header of %d bytes; at most %d are allowed", section.Size()-p.Body.Size(), maxChildHeader)
		}
		children = append(children, p)
	}
	return children, nil
}

// sortParts finds out what each part is. A part is certification data if it has that
// name or content, and an original message if it has that name or type: programs
// disagree on which of these they go by.
func (c *check) sortParts(children []multipart.Part) (*signedParts, error) {
	parts := &signedParts{all: children}
	for i := range children {
		p := &children[i]
		isOriginal := p.MediaType == "message/rfc822" || isNamed(p, "postacert.eml")
		isData := isNamed(p, "daticert.xml")
		if !isOriginal && !isData {
			// Original messages never count as data, whatever they hold.
			var err error
			if isData, err = c.holdsCertData(p); err != nil {
				return nil, err
			}
		}
		if isOriginal {
			parts.originals = append(parts.originals, i)
		}
		if isData {
			parts.data = append(parts.data, i)
		}
	}
	if len(children) == 0 || slices.Contains(parts.originals, 0) || slices.Contains(parts.data, 0) || !isText(children[0]) {
		return parts, nil
	}
	parts.hasText = true
	var err error
	parts.title, err = c.readTitle(children[0])
	return parts, err
}

// holdsCertData reports whether a part begins like certification data.
func (c *check) holdsCertData(p *multipart.Part) (bool, error) {
	if p.Encoding != "base64" {
		raw := c.room.content[:min(p.Body.Size(), maxProlog)]
		if _, err := p.Body.ReadAt(raw, 0); err != nil && err != io.EOF {
			return false, fmt.Errorf("envelope: %w", err)
		}
		if start := bytes.TrimLeft(raw, xmlSpace); len(start) > 0 && start[0] < 0x80 && start[0] != '<' && start[0] != '=' {
			return false, nil // not XML, in whatever encoding
		}
	}
	start, err := p.Prefix(c.room.content[:maxProlog])
	if err != nil {
		return false, fmt.Errorf("envelope: %w", err)
	}
	return isCertData(start), nil
}

// readCertData reads the certification data, and checks that the provider wrote them
// (RFC 6109, 4.3.3). Data that cannot be relied on are returned with the error.
func (c *check) readCertData(parts *signedParts) (*CertData, error) {
	switch len(parts.data) {
	case 0:
		return nil, parts.checkAnomaly()
	case 1:
	default:
		return nil, failed(CodeNoCertData, "%d parts with certification data, not one", len(parts.data))
	}
	data, err := c.readCertDataPart(&parts.all[parts.data[0]])
	if err != nil {
		return data, err
	}
	if len(parts.originals) > 1 {
		return data, failed(CodeBadCertData, "%d original messages, not one", len(parts.originals))
	}
	return data, parts.checkOrigin(data.Kind)
}

// isText reports whether a part may be the readable text (RFC 6109, 4.3.1).
func isText(p multipart.Part) bool {
	return isPlainText(p) || p.MediaType == "text/html" || p.MediaType == "multipart/alternative"
}

func (c *check) readCertDataPart(p *multipart.Part) (*CertData, error) {
	content, err := p.Content(maxCertData, c.room.content[:])
	if err != nil {
		return nil, parseFailed(err, CodeBadCertData)
	}
	raw := content
	if p.Encoding == "quoted-printable" {
		raw = make([]byte, p.Body.Size())
		if _, err := p.Body.ReadAt(raw, 0); err != nil && err != io.EOF {
			return nil, fmt.Errorf("envelope: %w", err)
		}
	}
	// Base64 cannot contain dashes.
	if p.Encoding != "base64" && hasDelimiter(raw) {
		return nil, failed(CodeBadCertData, "daticert.xml: a line begins with --, like a delimiter of a multipart")
	}
	data, err := parseCertData(content)
	if err != nil {
		return data, failed(CodeBadCertData, "%w", err)
	}
	return data, nil
}

// hasDelimiter reports whether a line begins like a delimiter (RFC 2046, 5.1.1). Genuine
// certification data never have one. Forged data do if the forger tries many guesses of
// the boundary around one copy.
func hasDelimiter(b []byte) bool {
	if bytes.HasPrefix(b, []byte("--")) {
		return true
	}
	for {
		_, rest, found := bytes.Cut(b, []byte("\n--"))
		if !found || !bytes.HasPrefix(rest, []byte(">")) { // "-->" ends a comment
			return found
		}
		b = rest
	}
}

// openOriginal makes the original message readable. RFC 2046, 5.2.1 forbids encoding an
// attached message, but one in base64 is decoded all the same. If storage changed line
// ends, those that were signed are restored.
func (m *Message) openOriginal(ctx context.Context, p *multipart.Part, canonical bool) error {
	if p == nil {
		return nil
	}
	m.original = p.Body
	if p.Encoding == "base64" {
		if err := m.copyOriginal(ctx, p.Open()); !errors.Is(err, multipart.ErrEncoding) {
			return err
		}
		// It is labelled base64 but is not: the bytes are the message.
	}
	if !canonical {
		return nil
	}
	return m.copyOriginal(ctx, &canonicalReader{r: io.NewSectionReader(p.Body, 0, p.Body.Size())})
}

// copyOriginal makes the bytes of r the original message.
func (m *Message) copyOriginal(ctx context.Context, r io.Reader) error {
	s, err := spool.Open(ctx, r)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	m.decoded = s
	m.original = io.NewSectionReader(s, 0, s.Size())
	return nil
}
