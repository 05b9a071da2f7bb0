package envelope

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
	"github.com/gopec/gopec/internal/spool"
)

// errNoCertData reports a signed part without any daticert.xml.
var errNoCertData = errors.New("no daticert.xml")

// findParts looks for daticert.xml and the original message among the direct
// children of the signed part (RFC 6109, 4.3.3), and nowhere deeper: what stands
// inside an attached message was put there by its author. It fails only on what
// cannot be read; what is missing is told by checkCertData.
func (c *check) findParts() error {
	children, err := c.signedChildren()
	if err != nil {
		return err
	}
	c.facts.CertData, c.partsErr = c.findCertData(children)
	if data := c.facts.CertData; data != nil && c.facts.Kind == KindNone {
		c.facts.Kind = data.Kind
	}
	original, err := findOriginal(children)
	if c.partsErr == nil {
		c.partsErr = err
	}
	c.original = original
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
	children := make([]multipart.Part, 0, len(sections))
	for _, section := range sections {
		p, err := multipart.ReadPart(section)
		if err != nil {
			return nil, parseFailed(err, CodeMalformed)
		}
		children = append(children, p)
	}
	return children, nil
}

func named(parts []multipart.Part, name string) []*multipart.Part {
	var found []*multipart.Part
	for i := range parts {
		if slices.ContainsFunc(parts[i].Names, func(n string) bool { return equalFold(n, name) }) {
			found = append(found, &parts[i])
		}
	}
	return found
}

func ofType(parts []multipart.Part, mediaTypes ...string) []*multipart.Part {
	var found []*multipart.Part
	for i := range parts {
		if slices.Contains(mediaTypes, parts[i].MediaType) {
			found = append(found, &parts[i])
		}
	}
	return found
}

// maxUnnamed is how many XML parts without the name are looked into.
const maxUnnamed = 4

// findCertData reads the one daticert.xml. Where no part has that name, the one
// that is XML with its root counts (RFC 6109, 4.3.3 itself writes certdata.xml).
// Data that is not to be relied upon is given beside the error.
func (c *check) findCertData(parts []multipart.Part) (*CertData, error) {
	switch candidates := named(parts, "daticert.xml"); len(candidates) {
	case 0:
	case 1:
		return c.readCertDataPart(candidates[0])
	default:
		return nil, failed(CodeNoCertData, "%d parts named daticert.xml", len(candidates))
	}
	candidates := ofType(parts, "application/xml", "text/xml")
	if len(candidates) == 0 {
		return nil, failed(CodeNoCertData, "%w", errNoCertData)
	}
	var found *CertData
	for _, p := range candidates[:min(len(candidates), maxUnnamed)] {
		data, err := c.readCertDataPart(p)
		if err != nil {
			continue
		}
		if found != nil {
			return nil, failed(CodeNoCertData, "more than one part with certification data")
		}
		found = data
	}
	if found == nil {
		return nil, failed(CodeNoCertData, "no part with certification data")
	}
	return found, nil
}

// findOriginal finds the original message, nil when there is none: the part named
// postacert.eml, or else the one attached message. Of two, readers would show
// different ones.
func findOriginal(parts []multipart.Part) (*multipart.Part, error) {
	candidates := named(parts, "postacert.eml")
	if len(candidates) == 0 {
		candidates = ofType(parts, "message/rfc822")
	}
	switch len(candidates) {
	case 0:
		return nil, nil
	case 1:
		return candidates[0], nil
	default:
		return nil, failed(CodeBadCertData, "%d original messages", len(candidates))
	}
}

func (c *check) readCertDataPart(p *multipart.Part) (*CertData, error) {
	content, err := p.Content(maxCertData, c.room.content[:])
	if err != nil {
		return nil, parseFailed(err, CodeBadCertData)
	}
	data, err := parseCertData(content)
	if err != nil {
		return data, failed(CodeBadCertData, "%w", err)
	}
	return data, nil
}

// openOriginal gives the bytes of the original message. RFC 2046, 5.2.1 allows no
// encoding of an attached message; one in base64 is decoded nevertheless.
func (m *Message) openOriginal(ctx context.Context, p *multipart.Part) error {
	if p == nil {
		return nil
	}
	m.original = p.Body
	if p.Encoding != "base64" {
		return nil
	}
	s, err := spool.Open(ctx, p.Open())
	if errors.Is(err, multipart.ErrEncoding) {
		return nil // only labelled so: the bytes are the message
	}
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	m.decoded = s
	m.original = io.NewSectionReader(s, 0, s.Size())
	return nil
}
