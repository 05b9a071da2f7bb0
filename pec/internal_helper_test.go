package pec

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// composeSender is the address of the mailbox that composes.
const composeSender = "me@alfa-pec.example"

// composeTime is when messages are composed.
var composeTime = time.Date(2026, 11, 21, 10, 0, 0, 0, time.FixedZone("", 3600))

// mustCompose composes a message that must not be refused.
func mustCompose(t *testing.T, m Message) *composed {
	t.Helper()
	c, err := compose(t.Context(), composeSender, m, Limits{}, composeTime)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.body.Close()) })
	return c
}

// bodyOf returns the bytes of a composed message.
func bodyOf(t *testing.T, c *composed) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(c.body, 0, c.body.Size()))
	require.NoError(t, err)
	return string(b)
}

// problemsOf returns the problems of a refused message, each as "Field reason".
func problemsOf(t *testing.T, err error) []string {
	t.Helper()
	ce, ok := errors.AsType[*ComposeError](err)
	require.True(t, ok, "%v", err)
	var list []string
	for _, p := range ce.Problems {
		list = append(list, p.Field+" "+string(p.Reason))
	}
	return list
}

// checkWire requires what every message that leaves must have: seven bits, CRLF line ends
// only, no NUL, no line of more than 998 octets, and a line end at the end.
func checkWire(t *testing.T, raw string) {
	t.Helper()
	for line := range strings.SplitAfterSeq(raw, "\n") {
		if line == "" {
			continue
		}
		content, ok := strings.CutSuffix(line, "\r\n")
		require.True(t, ok, "%q", line)
		require.LessOrEqual(t, len(content), 998)
		require.False(t, strings.ContainsFunc(content, func(r rune) bool { return r == 0 || r == '\r' || r > 0x7f }), "%q", line)
	}
	require.True(t, strings.HasSuffix(raw, "\r\n"))
}

// topFields returns the names of the header's fields, read in the simplest way.
func topFields(t *testing.T, raw string) []string {
	t.Helper()
	head, _, found := strings.Cut(raw, "\r\n\r\n")
	require.True(t, found)
	var names []string
	for line := range strings.SplitSeq(head, "\r\n") {
		require.NotEmpty(t, strings.Trim(line, " \t"), "a blank line in the header")
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, _, found := strings.Cut(line, ":")
		require.True(t, found, line)
		names = append(names, name)
	}
	return names
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// newRandom returns a source of the same numbers in each run.
func newRandom() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
