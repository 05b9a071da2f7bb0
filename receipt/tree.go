package receipt

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/gopec/gopec/internal/multipart"
)

// node is an entity of a message (RFC 2045, 2.4) with all its bytes.
type node struct {
	raw  *io.SectionReader // header and body; only the body for the message itself, whose header is compared separately
	part multipart.Part
}

// header returns the bytes before the body.
func (n node) header() *io.SectionReader {
	return io.NewSectionReader(n.raw, 0, n.raw.Size()-n.part.Body.Size())
}

// children splits a multipart. It also returns everything between the parts, delimiters
// included.
func (n node) children() (children []node, between []*io.SectionReader, err error) {
	sections, err := n.part.Split(multipart.MaxParts)
	if err != nil {
		return nil, nil, err
	}
	_, base, _ := n.part.Body.Outer()
	pos := int64(0)
	gap := func(end int64) { between = append(between, io.NewSectionReader(n.part.Body, pos, end-pos)) }
	for _, section := range sections {
		p, err := multipart.ReadPart(section)
		if err != nil {
			return nil, nil, err
		}
		children = append(children, node{section, p})
		_, start, size := section.Outer() // start counts from the same zero as base
		gap(start - base)
		pos = start - base + size
	}
	gap(n.part.Body.Size())
	return children, between, nil
}

// compareWhole compares two entities byte for byte. If they differ, it looks for the
// attachments that differ.
func (c *comparison) compareWhole(sent, delivered node, what string) error {
	same, err := sameText(sent.raw, delivered.raw)
	if err != nil || same {
		return err
	}
	return c.explain(sent.part, delivered.part, what)
}

// leafContent is a leaf and its decoded content.
type leafContent struct {
	part   multipart.Part
	digest [sha256.Size]byte // see contentDigest
}

// explain records in which leaves two entities differ.
func (c *comparison) explain(sent, delivered multipart.Part, what string) error {
	ours, err := leafContents(sent)
	if err != nil {
		return err
	}
	theirs, err := leafContents(delivered)
	if err != nil {
		return err
	}
	before := len(c.differences)
	for i := range min(len(ours), len(theirs)) {
		name := cmp.Or(ours[i].part.Name(), what)
		if ours[i].digest != theirs[i].digest {
			c.differ(name, "SHA-256 %x was sent, %x delivered", ours[i].digest, theirs[i].digest)
		} else if !slices.Equal(ours[i].part.Names, theirs[i].part.Names) {
			c.differ(name, "delivered under the name %.200q", theirs[i].part.Names)
		}
	}
	if len(ours) != len(theirs) {
		c.differ(what, "%d parts were sent, %d delivered", len(ours), len(theirs))
	}
	if len(c.differences) == before {
		c.differ(what, "the parts are the same once decoded, the octets around them or their encoding are not")
	}
	return nil
}

func leafContents(p multipart.Part) ([]leafContent, error) {
	var all []leafContent
	for p, err := range multipart.Leaves(p) {
		if err != nil && !multipart.IsMalformed(err) {
			return nil, err
		}
		digest, err := contentDigest(p)
		if err != nil {
			return nil, err
		}
		all = append(all, leafContent{p, digest})
	}
	return all, nil
}

// contentDigest hashes the decoded content of a part. Base64 is hashed as it is. Anything
// else is hashed as text, since storage may have changed its line ends. Content that
// cannot be decoded is hashed up to the error.
func contentDigest(p multipart.Part) ([sha256.Size]byte, error) {
	h := sha256.New()
	var err error
	if p.Encoding == "base64" {
		_, err = io.Copy(h, p.Open())
	} else {
		err = textDigest(h, "\n", p.Open())
	}
	if errors.Is(err, multipart.ErrEncoding) {
		err = nil
	}
	return [sha256.Size]byte(h.Sum(nil)), err
}

// compareNode compares an entity with its counterpart in a brief receipt: RFC 6109,
// 3.3.2.2.
func (c *comparison) compareNode(sent, delivered node, depth int) error {
	if replaced, err := c.isReplaced(sent, delivered); err != nil || replaced {
		if err != nil {
			return err
		}
		return c.compareHash(sent.part, delivered.part)
	}
	what := cmp.Or(sent.part.Name(), "body")
	if !strings.HasPrefix(sent.part.MediaType, "multipart/") || depth == multipart.MaxDepth {
		return c.compareWhole(sent, delivered, what)
	}
	ours, theirs, err := sameFrame(sent, delivered)
	if err != nil {
		return err
	}
	if ours == nil {
		return c.compareWhole(sent, delivered, what)
	}
	for i := range ours {
		// Providers leave the sender's own signature as it is, so only the part that it
		// signs may hold hashes.
		if depth == 0 && sent.part.MediaType == "multipart/signed" && i > 0 {
			err = c.compareWhole(ours[i], theirs[i], "body")
		} else {
			err = c.compareNode(ours[i], theirs[i], depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sameFrame splits two multiparts. It returns nil unless they have equally many children
// and are the same outside of them.
func sameFrame(sent, delivered node) (ours, theirs []node, err error) {
	ours, oursBetween, err := sent.children()
	if err != nil {
		return nil, nil, unlessMalformed(err)
	}
	theirs, theirsBetween, err := delivered.children()
	if err != nil {
		return nil, nil, unlessMalformed(err)
	}
	if len(ours) != len(theirs) {
		return nil, nil, nil
	}
	oursBetween, theirsBetween = append(oursBetween, sent.header()), append(theirsBetween, delivered.header())
	for i := range oursBetween {
		if same, err := sameText(oursBetween[i], theirsBetween[i]); err != nil || !same {
			return nil, nil, err
		}
	}
	return ours, theirs, nil
}

func unlessMalformed(err error) error {
	if multipart.IsMalformed(err) {
		return nil
	}
	return err
}
