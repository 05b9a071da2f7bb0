package pec_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// A Submitter has returned its outcome and goes on reading, as net/http does with the
// body of a request that is answered early. It reads nothing more.
func TestABodyEndsWithItsAttempt(t *testing.T) {
	for name, before := range map[string]int64{"never read": 0, "read in part": 10} {
		t.Run(name, func(t *testing.T) {
			n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
			goOn, rest, failed := make(chan struct{}), make(chan []byte, 1), make(chan error, 1)
			c := newWorker(t, n, submitFunc(func(s pec.Submission) pec.Outcome {
				_, err := io.CopyN(io.Discard, s.Body, before)
				require.NoError(t, err)
				go func() {
					<-goOn
					raw, err := io.ReadAll(s.Body)
					rest <- raw
					failed <- err
				}()
				return pec.Outcome{Kind: pec.OutcomeTemporary, Reply: pec.Reply{Code: 503}}
			}), &ports{}, store, clock.Now)
			id, err := c.Send(t.Context(), diffida("k"))
			require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
			close(goOn)
			require.Empty(t, <-rest, "bytes left after the outcome said that none had")
			require.Error(t, <-failed)
			require.Equal(t, 1, countAttempts(t, c, id))
			require.Equal(t, pec.StateRetrying, stateOf(t, c, id))
		})
	}
}
