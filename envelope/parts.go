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

// errNoCertData reports a signed part without certification data.
var errNoCertData = errors.New("no daticert.xml")

// Limits on what stands directly in the signed part. Providers write three or four
// parts, with headers of some 200 bytes.
const (
	maxChildren    = 16
	maxChildHeader = 8 << 10
)

// signedParts are the direct children of the signed part (RFC 6109, 4.3.3). Nothing
// deeper is looked at: what stands inside an attached message was put there by its
// author.
type signedParts struct {
	all       []multipart.Part
	hasText   bool  // the first one is the readable text (RFC 6109, 4.3.1)
	title     title // of that text
	data      []int // which are certification data
	originals []int // which are the original message
}

// findParts finds the certification data and the original message. It fails only on
// what cannot be read; what is missing is told by checkCertData.
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
	c.facts.CertData, c.partsErr = c.readCertData(parts)
	if data := c.facts.CertData; data != nil && c.facts.Kind == KindNone {
		c.facts.Kind = data.Kind
	}
	if len(parts.originals) == 1 {
		c.original = &parts.all[parts.originals[0]]
	}
	return nil
}

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
	// A sender who guesses the provider's boundary could end the multipart inside
	// the original, with a daticert.xml of its own before; the provider's then comes after.
	if c.content.Resumed {
		return nil, failed(CodeMalformed, "a delimiter after the last one of the signed part")
	}
	if len(sections) > maxChildren {
		return nil, failed(CodeMalformed, "%d parts in the signed part", len(sections))
	}
	children := make([]multipart.Part, 0, len(sections))
	for _, section := range sections {
		p, err := multipart.ReadPart(section)
		if err == nil {
			// Providers write clear headers. A sender's guesses of the boundary make
			// unclear ones, line after line.
			err = p.HeaderErr()
		}
		if err != nil {
			return nil, parseFailed(err, CodeMalformed)
		}
		if section.Size()-p.Body.Size() > maxChildHeader {
			return nil, failed(CodeMalformed, "a part with a header of %d bytes", section.Size()-p.Body.Size())
		}
		children = append(children, p)
	}
	return children, nil
}

// sortParts finds out what each part is. Certification data is what has the name or is
// it, an original message what has the name or the type: each reader goes by another
// of these.
func (c *check) sortParts(children []multipart.Part) (*signedParts, error) {
	parts := &signedParts{all: children}
	for i := range children {
		p := &children[i]
		isOriginal := p.MediaType == "message/rfc822" || isNamed(p, "postacert.eml")
		isData := isNamed(p, "daticert.xml")
		if !isOriginal && !isData {
			// Attached messages are not looked into, whatever they hold.
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

// holdsCertData reports whether parseCertData could read a part, by its beginning.
func (c *check) holdsCertData(p *multipart.Part) (bool, error) {
	if p.Encoding != "base64" {
		raw := c.room.content[:min(p.Body.Size(), maxProlog)]
		if _, err := p.Body.ReadAt(raw, 0); err != nil && err != io.EOF {
			return false, fmt.Errorf("envelope: %w", err)
		}
		if start := bytes.TrimLeft(raw, xmlSpace); len(start) > 0 && start[0] < 0x80 && start[0] != '<' && start[0] != '=' {
			return false, nil // a text, whatever the encoding
		}
	}
	start, err := p.Prefix(c.room.content[:maxProlog])
	if err != nil {
		return false, fmt.Errorf("envelope: %w", err)
	}
	return isCertData(start), nil
}

// readCertData reads the certification data, and asks whether it is the provider that
// put them there (RFC 6109, 4.3.3). Data that is not to be relied upon is given beside
// the error.
func (c *check) readCertData(parts *signedParts) (*CertData, error) {
	switch len(parts.data) {
	case 0:
		return nil, parts.checkAnomaly()
	case 1:
	default:
		return nil, failed(CodeNoCertData, "%d parts with certification data", len(parts.data))
	}
	data, err := c.readCertDataPart(&parts.all[parts.data[0]])
	if err != nil {
		return data, err
	}
	if len(parts.originals) > 1 {
		return data, failed(CodeBadCertData, "%d original messages", len(parts.originals))
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
	// Base64 has no dashes.
	if p.Encoding != "base64" && hasDelimiter(raw) {
		return nil, failed(CodeBadCertData, "daticert.xml: a line begins like a delimiter")
	}
	data, err := parseCertData(content)
	if err != nil {
		return data, failed(CodeBadCertData, "%w", err)
	}
	return data, nil
}

// hasDelimiter reports whether a line begins like a delimiter (RFC 2046, 5.1.1). No
// genuine certification data have one. Forged ones have, when one copy of them serves
// many guesses of the boundary.
func hasDelimiter(b []byte) bool {
	if bytes.HasPrefix(b, []byte("--")) {
		return true
	}
	for {
		_, rest, found := bytes.Cut(b, []byte("\n--"))
		if !found || !bytes.HasPrefix(rest, []byte(">")) { // which would end a comment
			return found
		}
		b = rest
	}
}

// openOriginal gives the bytes of the original message. RFC 2046, 5.2.1 allows no
// encoding of an attached message; one in base64 is decoded nevertheless. Line ends
// that storage changed are those again that were signed.
func (m *Message) openOriginal(ctx context.Context, p *multipart.Part, canonical bool) error {
	if p == nil {
		return nil
	}
	m.original = p.Body
	if p.Encoding == "base64" {
		if err := m.copyOriginal(ctx, p.Open()); !errors.Is(err, multipart.ErrEncoding) {
			return err
		}
		// It is only labelled so: the bytes are the message.
	}
	if !canonical {
		return nil
	}
	return m.copyOriginal(ctx, &canonicalReader{r: io.NewSectionReader(p.Body, 0, p.Body.Size())})
}

func (m *Message) copyOriginal(ctx context.Context, r io.Reader) error {
	s, err := spool.Open(ctx, r)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	m.decoded = s
	m.original = io.NewSectionReader(s, 0, s.Size())
	return nil
}
