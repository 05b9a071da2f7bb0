package pec

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/mailtext"
)

// RawMessage is a PEC that the caller has written: a message of RFC 5322, such as
// an S/MIME program makes. It leaves as it is, byte for byte, with two exceptions:
// line ends that are LF throughout become CRLF, as the last line gets one, and a
// Message-ID is put on top where there is none.
//
// It must be one that every program reads alike, and a PEC that providers accept
// (RFC 6109, 3.1.1): From is the one address of the mailbox; To, and Cc if there
// is one, are plain lists of addresses without groups; no Bcc and no Sender; Date
// and MIME-Version are there; no field of which there is one stands there twice,
// and none is a provider's. It is seven-bit, in lines of at most 998 octets. The
// receipt asked for is X-TipoRicevuta: completa, breve or sintetica.
type RawMessage struct {
	// Content is read once, to its end; required. Its header is at most 1 MiB.
	Content io.Reader
	// Key names the request, as in Message. With a key the same bytes are the same
	// request.
	Key string
	// RequireFullEvidence is as in Message.
	RequireFullEvidence bool
}

// maxRawHeader is the longest header of a RawMessage, in bytes.
const maxRawHeader = 1 << 20

// composeRaw checks a message that the caller has written.
func composeRaw(ctx context.Context, sender string, m RawMessage, l Limits) (*composed, error) {
	return composeRawAs(ctx, newMessageID(sender), sender, m, l)
}

// composeRawAs is composeRaw with a Message-ID for a message that has none.
func composeRawAs(ctx context.Context, messageID, sender string, m RawMessage, l Limits) (*composed, error) {
	c := &rawComposer{sender: sender}
	c.checkKey(m.Key)
	if m.Content == nil {
		c.problem("Content", "", ProblemMissing, nil)
		return nil, &ComposeError{c.problems}
	}
	src := newSource(ctx, m.Content)
	lines := newLineReader(src)
	raw, err := c.readHeader(lines)
	if err == nil || err == io.EOF {
		c.checkHeader(c.parseHeader(raw))
	}
	count := len(c.to) + len(c.cc)
	c.checkRecipients(l, count)
	c.checkEvidence(m.RequireFullEvidence)

	out := newOutput(l.size(count), len(raw))
	defer out.discard()
	if c.chosen = c.messageID != ""; !c.chosen {
		c.messageID = messageID
		raw = append(mailtext.Fold("Message-ID", "<"+c.messageID+">"), raw...)
	}
	_, _ = out.Write(raw) // a failure stays, and is found when out is closed
	if err == nil {
		err = lines.copyTo(out)
	}
	c.problems = append(c.problems, lines.problems...)
	switch {
	case src.err != nil:
		c.problem("Content", "", ProblemUnreadable, src.err)
	case err != nil && err != io.EOF && !out.tooLarge:
		return nil, fmt.Errorf("pec: composing: %w", err)
	}
	c.request = [32]byte(src.sum.Sum(nil))
	done, err := c.finish(ctx, out, l, count)
	if err != nil {
		return nil, err
	}
	if err := done.findAttachments(ctx); err != nil {
		return nil, err
	}
	return done, nil
}

// rawComposer composes a RawMessage.
type rawComposer struct {
	draft
	sender string
}

// readHeader gives the header with the empty line that ends it.
func (c *rawComposer) readHeader(lines *lineReader) ([]byte, error) {
	var raw []byte
	for {
		line, err := lines.next()
		raw = append(raw, line...)
		switch {
		case err == io.EOF:
			// To some programs that is a header, to others nothing.
			c.problem("Header", "", ProblemMalformed, errNoEnd)
			return raw, io.EOF
		case err != nil:
			return raw, err
		case len(raw) > maxRawHeader:
			c.problem("Header", "", ProblemTooLong, nil)
			return raw, io.EOF
		case string(line) == "\r\n":
			return raw, nil
		}
	}
}

// parseHeader reads a header as strictly as RFC 5322, 2.2 has it: what other
// readers forgive, they forgive in different ways.
func (c *rawComposer) parseHeader(raw []byte) header.Header {
	var h header.Header
	var folded []byte // the last value, once it has more than one line
	unfold := func() {
		if folded != nil {
			h[len(h)-1].Value, folded = string(folded), nil
		}
	}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n"))
	for _, line := range bytes.Split(raw, []byte("\r\n")) {
		blank := len(bytes.TrimLeft(line, " \t")) == 0
		if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			c.problem("Header", string(line), ProblemControl, nil)
			continue
		}
		if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			// A blank line within a header ends it for some programs.
			if blank || len(h) == 0 {
				c.problem("Header", string(line), ProblemMalformed, errFolding)
				continue
			}
			if folded == nil {
				folded = []byte(h[len(h)-1].Value)
			}
			folded = append(folded, line...)
			continue
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !fieldName.Match(name) {
			c.problem("Header", string(line), ProblemMalformed, errNoField)
			continue
		}
		unfold()
		h = append(h, header.Field{Name: string(name), Value: string(value)})
	}
	unfold()
	for i := range h {
		h[i].Value = strings.Trim(h[i].Value, " \t")
	}
	return h
}
