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

// Findings is what a check found out about a message. In a Message they are
// proven, save for those marked unsigned; in a VerifyError they are claims.
type Findings struct {
	// Kind is that of the certification data. Where these are missing, as in an
	// anomaly, it is what the header claims; KindNone when it claims nothing.
	Kind Kind
	// CertData is nil for an anomaly envelope, and where none could be read.
	CertData *CertData
	// From is the outer From address, "" when there is not exactly one.
	From string
	// OwnMessageID is the outer Message-ID, without angle brackets. Unsigned.
	OwnMessageID string
	// Signer is the signer's certificate; nil when none was found. Messages by one
	// signer may share it: it must not be changed.
	Signer *x509.Certificate
	// SigningTime is the signed attribute of that name (RFC 5652, 11.3); zero when absent.
	SigningTime time.Time
	// Anchor is the name of the anchor that issued the signer's certificate; "" when none did.
	Anchor string
	// Legacy tells that the certificate passed under the legacy policy only.
	Legacy bool
	// Revocation is what is known of the revocation of that certificate; "" when the
	// check was not reached.
	Revocation Revocation
	// Digest identifies the message by its signed content; zero when there is none.
	Digest Digest
	// Warnings are in the order they were found, each once.
	Warnings []Warning
}

// Digest is the SHA-256 of a message's signed part with CRLF line ends. Copies of
// one message have one key, however they were stored; its Message-ID is not
// signed, can be forged, and has been seen repeated.
type Digest [32]byte

// String gives the key in hexadecimal, "" for the zero key.
func (k Digest) String() string {
	if k == (Digest{}) {
		return ""
	}
	return hex.EncodeToString(k[:])
}

// MarshalText implements encoding.TextMarshaler, with the text of String.
func (k Digest) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Digest) UnmarshalText(text []byte) error {
	*k = Digest{}
	if len(text) == 0 {
		return nil
	}
	if raw, err := hex.DecodeString(string(text)); err != nil || copy(k[:], raw) != len(k) || len(raw) != len(k) {
		return fmt.Errorf("envelope: %q is not the key of a message", text)
	}
	return nil
}

// Message is a proven PEC message. Only Open makes one; any other value is not
// Proven, and holds nothing.
type Message struct {
	Findings

	spool    *spool.Spool
	original *io.SectionReader
	decoded  *spool.Spool // of an original that was encoded or stored with LF; nil otherwise
}

// Open reads a message and proves it with v. A message that is not proven gives
// a *VerifyError and no Message; any other error means that it could not be read.
//
// A reader that is also an io.ReaderAt and an io.Seeker is read in place and must
// stay unchanged until Close; any other is copied, beyond 1 MiB to a temporary file.
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
	m := &Message{Findings: c.facts, spool: s}
	if err == nil {
		err = m.openOriginal(ctx, c.original, c.canonical)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// Proven tells whether Open made m.
func (m *Message) Proven() bool { return m != nil && m.spool != nil }

// Raw is the whole message, byte for byte as it was read: the evidence to keep. It
// is readable until Close; nil when m is not Proven.
func (m *Message) Raw() *io.SectionReader {
	if !m.Proven() {
		return nil
	}
	return io.NewSectionReader(m.spool, 0, m.spool.Size())
}

// Original is the message that the sender wrote (postacert.eml), as this message
// carries it: in a transport envelope, a full or brief delivery receipt, or an
// anomaly envelope. It is readable until Close. Where storage changed line ends
// (WarningLFStorage) it has those that were signed. Without an original the error is
// ErrNoOriginal.
func (m *Message) Original() (*io.SectionReader, error) {
	if m == nil || m.original == nil {
		return nil, ErrNoOriginal
	}
	return io.NewSectionReader(m.original, 0, m.original.Size()), nil
}

// Close releases the copy of the message that Open made, if it made one.
func (m *Message) Close() error {
	if !m.Proven() {
		return nil
	}
	if m.decoded != nil {
		return errors.Join(m.spool.Close(), m.decoded.Close())
	}
	return m.spool.Close()
}
