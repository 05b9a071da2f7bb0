package envelope

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"hash"
	"io"
)

// signedPart is the part that is signed, with its digests.
type signedPart struct {
	*io.SectionReader
	bareLF bool // it has line ends without CR
	sums   []sum
}

// sum is a digest of the signed part in one form.
type sum struct {
	form
	digest []byte
}

// form is how the signed part is hashed: with which hash, and, if canonical, with
// every bare LF as CRLF. For a part without bare LF, canonical is always false.
type form struct {
	hash      crypto.Hash
	canonical bool
}

// digest returns a digest of the part. It reads the part through block, unless the
// digest is known already.
func (p *signedPart) digest(ctx context.Context, h crypto.Hash, canonical bool, block []byte) ([]byte, error) {
	f := form{h, canonical && p.bareLF}
	for _, known := range p.sums {
		if known.form == f {
			return known.digest, nil
		}
	}
	w := newDigester(ctx, f)
	if _, err := io.CopyBuffer(w, io.NewSectionReader(p, 0, p.Size()), block); err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	digest := w.hash.Sum(nil)
	p.sums = append(p.sums, sum{f, digest})
	return digest, nil
}

// digester hashes what is written to it. Once its context is done, Write fails.
type digester struct {
	ctx  context.Context
	hash hash.Hash
	to   io.Writer // hash, or a canonicalWriter in front of it
}

func newDigester(ctx context.Context, f form) *digester {
	d := &digester{ctx: ctx, hash: f.hash.New()}
	d.to = d.hash
	if f.canonical {
		d.to = &canonicalWriter{w: d.hash}
	}
	return d
}

func (d *digester) Write(p []byte) (int, error) {
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	return d.to.Write(p)
}

// canonicalWriter writes to w with every bare LF as CRLF.
type canonicalWriter struct {
	w       io.Writer
	afterCR bool
	out     []byte // reused by each Write
}

func (c *canonicalWriter) Write(p []byte) (int, error) {
	c.out = c.out[:0]
	for rest := p; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			c.out = append(c.out, rest...)
			c.afterCR = rest[len(rest)-1] == '\r'
			break
		}
		c.out = append(c.out, rest[:i]...)
		if isCRLF := i > 0 && rest[i-1] == '\r' || i == 0 && c.afterCR; !isCRLF {
			c.out = append(c.out, '\r')
		}
		c.out = append(c.out, '\n')
		rest, c.afterCR = rest[i+1:], false
	}
	if _, err := c.w.Write(c.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// canonicalReader reads r with every bare LF as CRLF.
type canonicalReader struct {
	r    io.Reader
	text bytes.Buffer // read from r, not yet returned
	w    *canonicalWriter
}

func (c *canonicalReader) Read(p []byte) (int, error) {
	if c.w == nil {
		c.w = &canonicalWriter{w: &c.text}
	}
	for c.text.Len() == 0 {
		n, err := c.r.Read(p)
		if _, writeErr := c.w.Write(p[:n]); writeErr != nil {
			return 0, writeErr
		}
		if err != nil && c.text.Len() == 0 {
			return 0, err
		}
	}
	return c.text.Read(p)
}
