package envelope

import (
	"context"
	"encoding/base64"
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
	var certData, originals []multipart.Part
	for _, p := range children {
		switch {
		case isNamed(p, "daticert.xml"):
			certData = append(certData, p)
		case p.MediaType == "message/rfc822" || isNamed(p, "postacert.eml"):
			originals = append(originals, p)
		}
	}
	c.facts.CertData, c.certDataErr = readCertData(certData, children)
	if data := c.facts.CertData; data != nil && c.facts.Kind == KindNone {
		c.facts.Kind = data.Kind
	}
	if len(originals) == 1 {
		c.original = &originals[0]
	}
	return nil
}

func (c *check) signedChildren() ([]multipart.Part, error) {
	mixed, err := multipart.ReadPart(c.signed)
	if err != nil {
		return nil, parseFailed(err, CodeMalformed)
	}
	if mixed.MediaType != "multipart/mixed" {
		return nil, nil
	}
	sections, err := mixed.Children(multipart.MaxParts)
	if errors.Is(err, header.ErrRepeatedParam) {
		return nil, nil
	}
	if err != nil {
		return nil, parseFailed(err, CodeTooLarge)
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

func isNamed(p multipart.Part, name string) bool {
	return slices.ContainsFunc(p.Names(), func(n string) bool { return equalFold(n, name) })
}

// readCertData reads the one daticert.xml. Where no part has that name, one that
// is XML with its root counts (RFC 6109, 4.3.3 itself writes certdata.xml). Data
// that is not to be relied upon is given beside the error.
func readCertData(named, all []multipart.Part) (*CertData, error) {
	switch len(named) {
	case 0:
		return readUnnamedCertData(all)
	case 1:
		return readCertDataPart(named[0])
	default:
		return nil, failed(CodeNoCertData, "%d parts named daticert.xml", len(named))
	}
}

func readUnnamedCertData(all []multipart.Part) (*CertData, error) {
	var found *CertData
	for _, p := range all {
		if p.MediaType != "application/xml" && p.MediaType != "text/xml" {
			continue
		}
		data, err := readCertDataPart(p)
		if err != nil {
			continue
		}
		if found != nil {
			return nil, failed(CodeNoCertData, "more than one part with certification data")
		}
		found = data
	}
	if found == nil {
		return nil, failed(CodeNoCertData, "%w", errNoCertData)
	}
	return found, nil
}

func readCertDataPart(p multipart.Part) (*CertData, error) {
	content, err := p.Content(maxCertData)
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
	if p.Encoding() != "base64" {
		return nil
	}
	s, err := spool.Open(ctx, base64.NewDecoder(base64.StdEncoding, io.NewSectionReader(p.Body, 0, p.Body.Size())))
	if _, corrupt := errors.AsType[base64.CorruptInputError](err); corrupt || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil // only labelled so: the bytes are the message
	}
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	m.decoded = s
	m.original = io.NewSectionReader(s, 0, s.Size())
	return nil
}
