package envelope

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopec/gopec/internal/spool"
)

// Findings is what the checks found out about a message. In a Message the findings are
// proven, except those marked unsigned. In a VerifyError they are mere claims.
type Findings struct {
	// Kind is the kind in the certification data. Without certification data, as in
	// an anomaly, it is the kind that the header claims; KindNone when that claims none.
	Kind Kind
	// CertData is nil in an anomaly envelope, and when none could be read.
	CertData *CertData
	// From is the outer From address, "" when there is not exactly one.
	From string
	// OwnMessageID is the outer Message-ID, without angle brackets. Unsigned.
	OwnMessageID string
	// Signer is the signer's certificate; nil when none was found. Messages of one
	// signer may share it: do not modify it.
	Signer *x509.Certificate
	// SigningTime is the signed attribute of that name (RFC 5652, 11.3); zero when absent.
	SigningTime time.Time
	// Anchor is the name of the anchor that issued the signer's certificate; "" when none did.
	Anchor string
	// Legacy reports that the certificate passed only because of
	// VerifierOptions.AllowLegacy.
	Legacy bool
	// Revocation is what is known about the revocation of that certificate; "" when
	// the check was not reached.
	Revocation Revocation
	// Digest identifies the message by its signed part; zero when the check was not
	// reached.
	Digest Digest
	// Warnings are in the order they were found, each once.
	Warnings []Warning
}

// Digest is the SHA-256 of a message's signed part with CRLF line ends. Copies of one
// message have the same Digest, whatever line ends they were stored with. Use it, and
// not the Message-ID, to identify a message: the Message-ID is not signed, can be
// forged, and has been seen repeated.
type Digest [32]byte

// String returns the digest in lower-case hexadecimal; "" for the zero Digest.
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// MarshalText implements encoding.TextMarshaler. It returns the text of String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It accepts the text of String, and
// upper-case hexadecimal; an empty text is the zero Digest.
func (d *Digest) UnmarshalText(text []byte) error {
	*d = Digest{}
	if len(text) == 0 {
		return nil
	}
	if raw, err := hex.DecodeString(string(text)); err != nil || copy(d[:], raw) != len(d) || len(raw) != len(d) {
		return fmt.Errorf("envelope: %.200q is not a digest of 64 hexadecimal digits", text)
	}
	return nil
}

// Message is a proven PEC message. Only Open makes one. The zero value is not Proven and
// holds nothing.
type Message struct {
	Findings

	spool    *spool.Spool
	original *io.SectionReader
	decoded  *spool.Spool // of an original that was encoded or stored with LF; nil otherwise
}

// Open reads a message and verifies it with v. A message that is not proven is a
// *VerifyError. Any other error means that the message could not be read. Call Close
// when done with the Message.
//
// A reader that is also an io.ReaderAt and an io.Seeker is read in place, from its current
// position to its end, and must stay unchanged until Close. Any other reader is copied: to memory up to 1 MiB, to a
// temporary file beyond that.
func Open(ctx context.Context, r io.Reader, v *Verifier) (*Message, error) {
	if v == nil || len(v.anchors) == 0 {
		return nil, ErrNoAnchors
	}
	s, err := spool.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	c := check{ctx: ctx, verifier: v, source: io.NewSectionReader(s, 0, s.Size())}
	err = c.run()
	m := &Message{Findings: c.findings, spool: s}
	if err == nil {
		err = m.openOriginal(ctx, c.original, c.canonical)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// Proven reports whether m was made by Open. It may be called on a nil Message.
func (m *Message) Proven() bool { return m != nil && m.spool != nil }

// Raw returns the whole message, byte for byte as it was read. Keep these bytes: they
// are the evidence. The reader is valid until Close; it is nil when m is not Proven.
func (m *Message) Raw() *io.SectionReader {
	if !m.Proven() {
		return nil
	}
	return io.NewSectionReader(m.spool, 0, m.spool.Size())
}

// Original returns the message that the sender wrote (postacert.eml), as this message
// carries it. Transport envelopes, full and brief delivery receipts and anomaly
// envelopes have one; in others the error is ErrNoOriginal. If storage changed line
// ends (WarningLFStorage), the original has those that were signed. The reader is valid
// until Close.
func (m *Message) Original() (*io.SectionReader, error) {
	if m == nil || m.original == nil {
		return nil, ErrNoOriginal
	}
	return io.NewSectionReader(m.original, 0, m.original.Size()), nil
}

// Close releases the copy of the message, if Open made one. It does not close the reader
// given to Open.
func (m *Message) Close() error {
	if !m.Proven() {
		return nil
	}
	if m.decoded != nil {
		return errors.Join(m.spool.Close(), m.decoded.Close())
	}
	return m.spool.Close()
}
