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

// node is an entity of a message with all of its bytes.
type node struct {
	raw  *io.SectionReader // its header and body; of the message itself, whose header is compared apart, the body
	part multipart.Part
}

// header is the bytes before the body.
func (n node) header() *io.SectionReader {
	return io.NewSectionReader(n.raw, 0, n.raw.Size()-n.part.Body.Size())
}

// children splits a multipart. It gives the text between the parts too, the
// delimiters included.
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
		_, start, size := section.Outer() // of what the body is a section of
		gap(start - base)
		pos = start - base + size
	}
	gap(n.part.Body.Size())
	return children, between, nil
}

// compareWhole compares two entities byte for byte. Where they differ it looks for
// the attachments that do.
func (c *comparison) compareWhole(sent, delivered node, what string) error {
	same, err := sameText(sent.raw, delivered.raw)
	if err != nil || same {
		return err
	}
	return c.explain(sent.part, delivered.part, what)
}

// leafContent is what a leaf says, apart from how it is encoded.
type leafContent struct {
	part   multipart.Part
	digest [sha256.Size]byte // of the decoded content
}

// explain tells in which leaves two entities differ.
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

// contentDigest hashes what is encoded in base64 as it is, and all else as text: its
// line ends may have been changed in storage. What cannot be decoded counts as far as
// it goes.
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

// compareNode compares an entity with what stands for it in a brief receipt: RFC
// 6109, 3.3.2.2.
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
		// The signature of the sender's own stays, and so may what it is over: only that
		// is taken apart.
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

// sameFrame splits two multiparts that are the same but for their children. Of
// those that are not it gives nil.
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
