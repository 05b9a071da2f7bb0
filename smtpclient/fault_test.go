package smtpclient_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// TestFaults plays every fault at every stage.
func TestFaults(t *testing.T) {
	// What a 5xx reply means at each stage.
	stages := []struct {
		name      string
		permanent pec.OutcomeKind
	}{
		{"greeting", pec.OutcomeTemporary},
		{"EHLO", pec.OutcomeTemporary},
		{"AUTH", pec.OutcomeAuthentication},
		{"MAIL", pec.OutcomeRefused},
		{"RCPT 1", pec.OutcomeRefused},
		{"RCPT 2", pec.OutcomeRefused},
		{"DATA", pec.OutcomeRefused},
		{"body", pec.OutcomeRefused},
		{"dot", pec.OutcomeRefused},
	}
	faults := []struct {
		name, fault string
		reason      smtpclient.Reason
		code        int
	}{
		{"silent until canceled", "silent", smtpclient.ReasonCanceled, 0},
		{"silent until timeout", "silent", smtpclient.ReasonTimeout, 0},
		{"closed", "close", smtpclient.ReasonNetwork, 0},
		{"temporary", "451 4.3.0 later", "", 451},
		{"permanent", "554 5.7.1 never", "", 554},
	}
	cases := 0
	for _, stage := range stages {
		for _, fault := range faults {
			cases++
			t.Run(stage.name+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				f := newFake(t, stage.name, fault.fault)
				opts := &smtpclient.Options{Timeout: 5 * time.Minute, SubmitTimeout: 5 * time.Minute}
				if fault.reason == smtpclient.ReasonTimeout {
					opts.Timeout, opts.SubmitTimeout = time.Second, time.Second
				}
				s := submission(message())
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				started := make(chan struct{})
				close(started)
				if stage.name == "body" {
					body := newHuge()
					s.Body, s.Size, started = body, hugeSize, body.started
				}
				if fault.reason == smtpclient.ReasonCanceled {
					go func() {
						<-f.reached
						<-started
						cancel()
					}()
				}
				begin := time.Now()
				o := f.open(t, opts).Submit(ctx, s)
				took := time.Since(begin)
				f.end()

				want := pec.OutcomeTemporary
				if stage.name == "dot" && fault.code == 0 {
					want = pec.OutcomeUncertain
				}
				if fault.code/100 == 5 {
					want = stage.permanent
				}
				assert.Equal(t, want, o.Kind, "%v", o.Err)
				assert.Equal(t, fault.code, o.Reply.Code)
				assert.Equal(t, stage.name == "dot", f.sawDot(), "final dot")
				assert.Less(t, took, time.Minute)
				checkError(t, o, fault.reason)
			})
		}
	}
	require.Equal(t, 45, cases)
}

// TestNoLeak repeats the worst faults and looks for goroutines and files they leave.
func TestNoLeak(t *testing.T) {
	for _, stage := range []string{"greeting", "AUTH", "body", "dot"} {
		t.Run(stage, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t, stage, "silent")
			s, body := submission(message()), newHuge()
			if stage == "body" {
				s.Body, s.Size = body, hugeSize
			}
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				<-f.reached
				cancel()
			}()
			o := f.open(t, nil).Submit(ctx, s)
			f.end()
			require.ErrorIs(t, o.Err, context.Canceled)
		})
	}
}
