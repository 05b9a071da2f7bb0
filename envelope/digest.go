package envelope

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
)

// signedDigests are the digests of a signed part in its two forms.
type signedDigests struct {
	asStored  []byte // of the bytes as they are
	canonical []byte // of the bytes with every bare LF as CRLF
	key       Key    // SHA-256 of the canonical form
}

// digestSigned hashes the signed part. The canonical form is hashed apart only
// where it differs.
func digestSigned(ctx context.Context, signed *io.SectionReader, h crypto.Hash) (signedDigests, error) {
	var d signedDigests
	hasher, key, lines := h.New(), hash.Hash(nil), new(lineEnds)
	var to io.Writer = io.MultiWriter(hasher, lines)
	if h != crypto.SHA256 {
		key = sha256.New()
		to = io.MultiWriter(hasher, key, lines)
	}
	if err := copySection(ctx, to, signed); err != nil {
		return d, err
	}
	d.asStored = hasher.Sum(nil)
	if lines.bareLF {
		hasher.Reset()
		key = sha256.New()
		if err := copySection(ctx, &canonicalWriter{w: io.MultiWriter(hasher, key)}, signed); err != nil {
			return d, err
		}
	}
	d.canonical = hasher.Sum(nil)
	if key == nil {
		key = hasher
	}
	copy(d.key[:], key.Sum(nil))
	return d, nil
}

func copySection(ctx context.Context, w io.Writer, s *io.SectionReader) error {
	r := io.NewSectionReader(s, 0, s.Size())
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("envelope: %w", err)
		}
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return fmt.Errorf("envelope: %w", err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("envelope: %w", err)
		}
	}
}

// lineEnds notes whether a bare LF was written.
type lineEnds struct {
	afterCR, bareLF bool
}

func (l *lineEnds) Write(p []byte) (int, error) {
	for rest := p; !l.bareLF; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		l.bareLF = i == 0 && !l.afterCR || i > 0 && rest[i-1] != '\r'
		rest, l.afterCR = rest[i+1:], false
	}
	if len(p) > 0 {
		l.afterCR = p[len(p)-1] == '\r'
	}
	return len(p), nil
}

// canonicalWriter passes on what is written with every bare LF as CRLF.
type canonicalWriter struct {
	w       io.Writer
	afterCR bool
}

func (c *canonicalWriter) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p)+len(p)/16)
	for _, b := range p {
		if b == '\n' && !c.afterCR {
			out = append(out, '\r')
		}
		out = append(out, b)
		c.afterCR = b == '\r'
	}
	if _, err := c.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
