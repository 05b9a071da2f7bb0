package pec_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// An error that a person reads says what to do.
func TestErrorsNameTheCure(t *testing.T) {
	suspended := &pec.SuspendedError{Suspension: pec.Suspension{Server: "smtp.pec.example:465", Reply: "535 no"}}
	held := &pec.HeldError{}
	send := func(kind pec.OutcomeKind, err error) error {
		return &pec.SendError{MessageID: "a@b", Outcome: pec.Outcome{Kind: kind, Err: err}}
	}
	for _, test := range []struct {
		err  error
		want []string
	}{
		{suspended, []string{"smtp.pec.example:465", "535 no", "right password", "Resume"}},
		{held, []string{"Retry", "Watch", "SearchNotices"}},
		{&pec.HeldError{Until: time.Unix(0, 0).UTC(), Folders: []string{"INBOX"}}, []string{"Sync or Watch at 1970-01-01T00:00:00Z", "INBOX"}},
		{&pec.HeldError{Trace: "c@d"}, []string{"c@d", "Cancel", "Resend"}},
		{send(pec.OutcomeUncertain, io.EOF), []string{"a@b", "EOF", "do not send it again", "Watch", "SearchNotices", "ResolveSent", "ResolveUnsent"}},
		{send(pec.OutcomeKind("new"), io.EOF), []string{"uncertain", "do not send it again"}},
		{send(pec.OutcomeTemporary, io.EOF), []string{"Retry or Watch"}},
		{send(pec.OutcomeRefused, io.EOF), []string{"Resend"}},
		{send(pec.OutcomeAuthentication, io.EOF), []string{"right password", "Resume"}},
		{send(pec.OutcomeAuthentication, suspended), []string{"right password", "Resume"}},
		{send(pec.OutcomeUncertain, held), []string{"SearchNotices"}},
		{&pec.SendError{Outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}, Store: io.EOF}, []string{"not recorded: EOF", "do not send it again"}},
		{&pec.ResendError{Recipient: "x@y", State: pec.StateAccepted}, []string{"x@y", "accepted", "leave it out"}},
		{&pec.ResendError{Recipient: "x@y", By: "c@d"}, []string{"x@y", "follow message c@d"}},
		{&pec.KeyError{Key: "k", MessageID: "a@b"}, []string{`"k"`, "a@b", "another key"}},
	} {
		for _, want := range test.want {
			require.Contains(t, test.err.Error(), want)
		}
	}
	// A cure that is there already is not said twice.
	require.NotContains(t, send(pec.OutcomeUncertain, held).Error(), "do not send it again")
	require.True(t, errors.Is(send(pec.OutcomeRefused, io.EOF), io.EOF))
}
