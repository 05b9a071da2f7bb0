package envelope

import (
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// maxParts is far above the three parts of RFC 6109 and the few that providers add.
const maxParts = 1000

// errNoCertData reports a signed part without any daticert.xml.
var errNoCertData = errors.New("no daticert.xml")

// part is a direct child of the signed multipart/mixed.
type part struct {
	multipart.Part
	mediaType string
	names     []string // the name and the filename parameter
}

// findParts looks for daticert.xml and the original message among the direct
// children of the signed part (RFC 6109, 4.3.3), and nowhere deeper: what stands
// inside an attached message was put there by its author. It fails only on what
// cannot be read; what is missing is told by checkCertData.
func (c *check) findParts() error {
	children, err := c.signedChildren()
	if err != nil {
		return err
	}
	var certData, originals []part
	for _, p := range children {
		switch {
		case p.isNamed("daticert.xml"):
			certData = append(certData, p)
		case p.mediaType == "message/rfc822" || p.isNamed("postacert.eml"):
			originals = append(originals, p)
		}
	}
	c.facts.CertData, c.certDataErr = readCertData(certData, children)
	if data := c.facts.CertData; data != nil && c.facts.Kind == KindNone {
		c.facts.Kind = data.Kind
	}
	if len(originals) == 1 {
		c.original = originals[0].Body
	}
	return nil
}

func (c *check) signedChildren() ([]part, error) {
	mixed, err := multipart.ReadPart(c.signed)
	if err != nil {
		return nil, parseFailed(err, CodeMalformed)
	}
	mediaType, params, err := header.ParseParams(mixed.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/mixed" {
		return nil, nil
	}
	sections, err := multipart.Split(mixed.Body, params["boundary"], maxParts)
	if err != nil {
		return nil, parseFailed(err, CodeTooLarge)
	}
	children := make([]part, 0, len(sections))
	for _, section := range sections {
		entity, err := multipart.ReadPart(section)
		if err != nil {
			return nil, parseFailed(err, CodeMalformed)
		}
		p := part{Part: entity}
		var params map[string]string
		p.mediaType, params, _ = header.ParseParams(entity.Header.Get("Content-Type"))
		p.names = append(p.names, params["name"])
		_, params, _ = header.ParseParams(entity.Header.Get("Content-Disposition"))
		p.names = append(p.names, params["filename"])
		children = append(children, p)
	}
	return children, nil
}

func (p part) isNamed(name string) bool {
	return equalFold(p.names[0], name) || equalFold(p.names[1], name)
}

// readCertData reads the one daticert.xml. Where no part has that name, one that
// is XML with its root counts (RFC 6109, 4.3.3 itself writes certdata.xml).
func readCertData(named, all []part) (*CertData, error) {
	switch len(named) {
	case 0:
		return readUnnamedCertData(all)
	case 1:
		content, err := named[0].content()
		if err != nil {
			return nil, err
		}
		data, err := parseCertData(content)
		if err != nil {
			return data, failed(CodeBadCertData, "%w", err)
		}
		return data, nil
	default:
		return nil, failed(CodeNoCertData, "%d parts named daticert.xml", len(named))
	}
}

func readUnnamedCertData(all []part) (*CertData, error) {
	var found *CertData
	for _, p := range all {
		if p.mediaType != "application/xml" && p.mediaType != "text/xml" {
			continue
		}
		content, err := p.content()
		if err != nil {
			continue
		}
		data, err := parseCertData(content)
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

// content decodes a small part.
func (p part) content() ([]byte, error) {
	if p.Body.Size() > 4*maxCertData {
		return nil, failed(CodeTooLarge, "a daticert.xml of %d bytes", p.Body.Size())
	}
	raw, err := io.ReadAll(io.NewSectionReader(p.Body, 0, p.Body.Size()))
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	switch lower(p.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		raw, err = decodeBase64(raw)
	case "quoted-printable":
		raw, err = io.ReadAll(quotedprintable.NewReader(io.NewSectionReader(p.Body, 0, p.Body.Size())))
	}
	if err != nil {
		return nil, failed(CodeBadCertData, "daticert.xml: %w", err)
	}
	if len(raw) > maxCertData {
		return nil, failed(CodeTooLarge, "a daticert.xml of %d bytes", len(raw))
	}
	return raw, nil
}
