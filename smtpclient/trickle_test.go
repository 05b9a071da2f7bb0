package smtpclient_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// TestTrickle has a server that is never silent for long and never finishes. The
// client's own time limit ends the call, not the context.
func TestTrickle(t *testing.T) {
	testenv.NoLeak(t)
	const timeout = 300 * time.Millisecond
	for _, stage := range []string{"greeting", "EHLO", "AUTH", "MAIL", "RCPT 2", "DATA", "dot", "in the clear"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			opts := &smtpclient.Options{Timeout: timeout, SubmitTimeout: timeout}
			f := newFake(t, stage, "trickle")
			if stage == "in the clear" {
				opts.StartTLS = true
				f.addr = testenv.Listen(t, nil, trickle)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			o := f.open(t, opts).Submit(ctx, submission(message()))
			want := pec.OutcomeTemporary
			if stage == "dot" {
				want = pec.OutcomeUncertain
			}
			assert.Equal(t, want, o.Kind)
			var failed *smtpclient.Error
			require.True(t, errors.As(o.Err, &failed), "%v", o.Err)
			assert.Equal(t, smtpclient.ReasonTimeout, failed.Reason, "%v", o.Err)
		})
	}
}
