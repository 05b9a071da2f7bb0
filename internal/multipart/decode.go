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
	// ErrTooLarge reports a body that is longer than the caller's limit.
	ErrTooLarge = errors.New("multipart: part too large")
	// ErrEncoding reports a body that is not in the encoding named by its header.
	ErrEncoding = errors.New("multipart: wrong transfer encoding")
)

// maxLine is the longest line of quoted-printable read, in bytes.
const maxLine = 256 << 10

// Open returns a stream of the decoded body (RFC 2045, 6). Each call starts at the
// beginning. Content that cannot be decoded ends the stream with ErrEncoding. A body in an
// encoding that is not in the RFC is returned as it is.
func (p Part) Open() io.Reader {
	raw := &source{r: io.NewSectionReader(p.Body, 0, p.Body.Size())}
	switch p.Encoding {
	case "base64":
		return &decoder{raw, base64.NewDecoder(base64.StdEncoding, &base64Text{r: raw})}
	case "quoted-printable":
		// Lines have at most 76 characters (6.7), but not every program keeps to that.
		lines := bufio.NewReaderSize(raw, int(min(p.Body.Size()+1, maxLine)))
		return &decoder{raw, quotedprintable.NewReader(lines)}
	default:
		return raw
	}
}

// Prefix decodes the beginning of the body, as much as fits into room. It stops at content
// that cannot be decoded.
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

// Content returns the decoded body, in room if it fits. If it is longer than limit bytes,
// the error is ErrTooLarge. If it cannot be decoded, the error is ErrEncoding.
func (p Part) Content(limit int64, room []byte) ([]byte, error) {
	// Quoted-printable takes up to three octets for one, and some line ends.
	if p.Body.Size() > 4*limit {
		return nil, tooLarge(limit)
	}
	content, err := p.content(limit, room)
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, tooLarge(limit)
	}
	return content, nil
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
}

// content decodes at least limit+1 bytes, if there are as many. It decodes well-formed
// base64 at once, which is faster than in the small steps of Open.
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
	// The decoder is slow at line ends, so remove them first.
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

// take returns n bytes of room and the rest of it. If room is too short, it allocates n
// bytes.
func take(room []byte, n int) (taken, rest []byte) {
	if n > len(room) {
		return make([]byte, n), room
	}
	return room[:n:n], room[n:]
}

// source remembers an error of reading, to tell it from an error of decoding.
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

// decoder returns an error of decoding, as opposed to one of reading, as ErrEncoding.
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

var errAfterPadding = errors.New("base64 continues after its padding")

// base64Text leaves out white space, which storage may add at the ends of lines. It fails
// on content after the padding. base64.NewDecoder notices that only if it reads both at
// once, so two readers of one body could see different octets.
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
