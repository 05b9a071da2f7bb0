package smtpclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// The first Read of the body claims the attempt. A dialogue that ends before the
// provider asks for the message does not read the body.
func TestTheBodyIsReadWhenItIsAskedFor(t *testing.T) {
	for _, at := range []string{"greeting", "EHLO", "AUTH", "MAIL", "RCPT 1", "RCPT 2", "DATA", ""} {
		for _, fault := range []string{"451 4.3.0 later", "550 5.7.1 no", "close"} {
			t.Run(at+" "+fault, func(t *testing.T) {
				f := newFake(t, at, fault)
				s, reads := submission(message()), 0
				text := s.Body
				s.Body = readerFunc(func(p []byte) (int, error) {
					if reads++; reads == 1 {
						heard := f.heard()
						require.Equal(t, "DATA", heard[len(heard)-1])
					}
					return text.Read(p)
				})
				o := f.open(t, nil).Submit(context.Background(), s)
				f.end()
				if at == "" {
					require.Equal(t, pec.OutcomeSubmitted, o.Kind)
					require.NotZero(t, reads)
					return
				}
				require.NotEqual(t, pec.OutcomeSubmitted, o.Kind)
				require.NotEqual(t, pec.OutcomeUncertain, o.Kind)
				require.Zero(t, reads)
			})
		}
	}
}

// Another worker has the claim. After the 354 the connection ends without a byte of the
// message, a final dot, or a command that would be read as part of the message.
func TestAnAttemptWithoutClaimSendsNothing(t *testing.T) {
	f := newFake(t, "", "")
	lost := errors.New("another worker has the claim")
	s := submission(message())
	s.Body = readerFunc(func([]byte) (int, error) { return 0, lost })
	o := f.open(t, nil).Submit(context.Background(), s)
	f.end()
	require.Equal(t, pec.OutcomeTemporary, o.Kind)
	require.ErrorIs(t, o.Err, lost)
	heard := f.heard()
	require.Equal(t, "DATA", strings.ToUpper(heard[len(heard)-1]))
	require.False(t, f.sawDot())
	require.Equal(t, "\r\n", f.body(), "only what body adds")
}
