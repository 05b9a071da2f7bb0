package multipart

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
)

var (
	// ErrTooLarge reports a body longer than the caller reads.
	ErrTooLarge = errors.New("multipart: part too large")
	// ErrEncoding reports a body that is not in the encoding it is labelled with.
	ErrEncoding = errors.New("multipart: wrong transfer encoding")
)

// maxLine is the longest line of quoted-printable read, in bytes.
const maxLine = 256 << 10

// Open decodes the body as a stream (RFC 2045, 6), from its beginning at each call.
// What cannot be decoded ends it with ErrEncoding. A body in an encoding that is
// not in that RFC is given as it stands.
func (p Part) Open() io.Reader {
	raw := &source{r: io.NewSectionReader(p.Body, 0, p.Body.Size())}
	switch p.Encoding {
	case "base64":
		return &decoder{raw, base64.NewDecoder(base64.StdEncoding, &base64Text{r: raw})}
	case "quoted-printable":
		// Lines have 76 characters at most (6.7), which not every writer knows.
		lines := bufio.NewReaderSize(raw, int(min(p.Body.Size()+1, maxLine)))
		return &decoder{raw, quotedprintable.NewReader(lines)}
	default:
		return raw
	}
}

// Prefix decodes the beginning of the body, as much as fits into room. It ends before
// what cannot be decoded.
func (p Part) Prefix(room []byte) ([]byte, error) {
	switch p.Encoding {
	case "base64", "quoted-printable":
		n, err := io.ReadFull(p.Open(), room)
		if err == io.EOF || err == io.ErrUnexpectedEOF || errors.Is(err, ErrEncoding) {
			err = nil
		}
		return room[:n], err
	}
	n, err := p.Body.ReadAt(room, 0)
	if err == io.EOF {
		err = nil
	}
	return room[:n], err
}

// Content decodes the body, into room where it fits. Beyond limit bytes it is
// ErrTooLarge, and what cannot be decoded is ErrEncoding.
func (p Part) Content(limit int64, room []byte) ([]byte, error) {
	// Quoted-printable takes three octets for one; a line end here and there.
	if p.Body.Size() > 4*limit {
		return nil, ErrTooLarge
	}
	content, err := p.content(limit, room)
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, ErrTooLarge
	}
	return content, nil
}

// content decodes at least limit+1 bytes, if there are as many. What Open would
// decode in small steps it decodes at once, if it is as it should be.
func (p Part) content(limit int64, room []byte) ([]byte, error) {
	if p.Encoding == "quoted-printable" {
		return io.ReadAll(io.LimitReader(p.Open(), limit+1))
	}
	raw, room := take(room, int(p.Body.Size()))
	if n, err := p.Body.ReadAt(raw, 0); n < len(raw) {
		return nil, err
	}
	if p.Encoding != "base64" {
		return raw, nil
	}
	// The decoder is slow at line ends.
	text := raw[:0]
	for rest := raw; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		text = append(text, bytes.TrimSuffix(line, []byte("\r"))...)
	}
	content, _ := take(room, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(content, text)
	if err != nil {
		return io.ReadAll(io.LimitReader(p.Open(), limit+1))
	}
	return content[:n], nil
}

// take gives n bytes of room, and what remains of it; new ones where there are not as many.
func take(room []byte, n int) (bytes, rest []byte) {
	if n > len(room) {
		return make([]byte, n), room
	}
	return room[:n:n], room[n:]
}

// source tells an error of reading from one of decoding.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// decoder gives what fails in decoding, and not in reading, as ErrEncoding.
type decoder struct {
	raw *source
	r   io.Reader
}

func (d *decoder) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && err != io.EOF && d.raw.err == nil {
		err = fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return n, err
}

var errAfterPadding = errors.New("base64 goes on after its padding")

// base64Text leaves out the blanks that storage puts at the ends of lines. It ends
// at the padding: base64.NewDecoder notices what follows only when both are read at
// once, so that two readers of one body would see different octets.
type base64Text struct {
	r      io.Reader
	padded bool
}

func (t *base64Text) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	kept := 0
	for _, b := range p[:n] {
		switch b {
		case ' ', '\t', '\v', '\f', '\r', '\n':
			continue
		case '=':
			t.padded = true
		default:
			if t.padded {
				return kept, errAfterPadding
			}
		}
		p[kept] = b
		kept++
	}
	return kept, err
}
