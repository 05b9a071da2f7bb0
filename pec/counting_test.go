package pec_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// countingStore counts the calls and the entries that are read.
type countingStore struct {
	pec.Store
	read int64
}

func (s *countingStore) Entry(ctx context.Context, box, key string) (pec.Entry, error) {
	s.read++
	return s.Store.Entry(ctx, box, key)
}

func (s *countingStore) Entries(ctx context.Context, box, send string) ([]pec.Entry, error) {
	entries, err := s.Store.Entries(ctx, box, send)
	s.read += 1 + int64(len(entries))
	return entries, err
}

func (s *countingStore) Changes(ctx context.Context, box string, after pec.Position) iter.Seq2[pec.Entry, error] {
	return func(yield func(pec.Entry, error) bool) {
		for e, err := range s.Store.Changes(ctx, box, after) {
			if s.read++; !yield(e, err) {
				return
			}
		}
	}
}

func (s *countingStore) Sends(ctx context.Context, box string, q pec.Query) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range s.Store.Sends(ctx, box, q) {
			if s.read++; !yield(name, err) {
				return
			}
		}
	}
}

// countingReader counts the bytes that are read of a message.
type countingReader struct {
	io.ReaderAt
	read int64
}

func (r *countingReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, at)
	r.read += int64(n)
	return n, err
}

// lines joins n lines, each made of its number.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func addresses(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("r%d@beta-pec.example", i))
	}
	return list
}

var roomy = pec.Limits{Product: 1 << 50, Recipients: 1 << 30}

// growthOffice is a client whose store counts.
func growthOffice(tb testing.TB, n *pectest.Network) (*pec.Client, *ports, *countingStore) {
	tb.Helper()
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
	require.NoError(tb, err)
	p, s := &ports{outcome: pec.OutcomeSubmitted}, &countingStore{Store: pec.NewMemory()}
	c, err := pec.New(me, p, p, v, &pec.Options{Store: s, Limits: roomy})
	require.NoError(tb, err)
	return c, p, s
}

// bounceMail is an anomaly envelope around a notification about a send of ours.
func bounceMail(tb testing.TB, n *pectest.Network, id, groups string) []byte {
	tb.Helper()
	raw, err := n.Providers()[0].Emit(pectest.Notice{
		Kind: pectest.KindAnomaly, Sender: "MAILER-DAEMON@example.org", Recipients: []pectest.Recipient{{Address: me}},
		Original: []byte(crlf("Content-Type: multipart/report; boundary=r\n\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n" + groups +
			"--r\nContent-Type: text/rfc822-headers\n\nX-Riferimento-Message-ID: <" + id + ">\n--r--\n")),
	})
	require.NoError(tb, err)
	return raw
}
