package smtpclient_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

var legalmail = smtpclient.ThrottleReply{Command: "MAIL", Code: 550, Text: "Class Of Service"}

// TestThrottle shows that a 5xx reply is temporary only with the text, the code and the
// command that Throttles list.
func TestThrottle(t *testing.T) {
	const fast = `550 MAIL from: "a" blocked "class of service" - Too much traffic from this sender`
	cases := []struct {
		name, at, reply string
		throttle        []smtpclient.ThrottleReply
		kind            pec.OutcomeKind
	}{
		{"listed", "MAIL", fast, []smtpclient.ThrottleReply{{Command: "RCPT", Code: 550, Text: "other"}, legalmail}, pec.OutcomeTemporary},
		{"not listed", "MAIL", fast, nil, pec.OutcomeRefused},
		{"other code", "MAIL", "553" + fast[3:], []smtpclient.ThrottleReply{legalmail}, pec.OutcomeRefused},
		{"other words", "MAIL", "550 5.7.1 not your address", []smtpclient.ThrottleReply{legalmail}, pec.OutcomeRefused},
		{"other command", "RCPT 1", fast, []smtpclient.ThrottleReply{legalmail}, pec.OutcomeRefused},
		{"at RCPT", "RCPT 2", "550 5.7.1 slow down", []smtpclient.ThrottleReply{{Command: "RCPT", Code: 550, Text: "SLOW"}}, pec.OutcomeTemporary},
		{"at DATA", "DATA", "554 5.7.1 slow down", []smtpclient.ThrottleReply{{Command: "DATA", Code: 554, Text: "slow"}}, pec.OutcomeTemporary},
		{"at the dot", "dot", "554 5.7.1 slow down", []smtpclient.ThrottleReply{{Command: "DATA", Code: 554, Text: "slow"}}, pec.OutcomeRefused},
		{"a login is never", "AUTH", fast, []smtpclient.ThrottleReply{legalmail}, pec.OutcomeAuthentication},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t, c.at, c.reply)
			o := f.open(t, &smtpclient.Options{Throttles: c.throttle}).Submit(t.Context(), submission(message()))
			f.end()
			assert.Equal(t, c.kind, o.Kind, "%v", o.Err)
			assert.Equal(t, c.reply[:3], o.Reply.String()[:3])
		})
	}
	require.Len(t, cases, 9)
	for _, bad := range []smtpclient.ThrottleReply{
		{}, {Command: "MAIL", Code: 550}, {Command: "MAIL", Text: "x"}, {Command: "MAIL", Code: 250, Text: "x"}, {Command: "AUTH", Code: 535, Text: "x"},
	} {
		_, err := smtpclient.New("smtp.pec.example:465", pec.Password(sender, secret), &smtpclient.Options{Throttles: []smtpclient.ThrottleReply{bad}})
		assertError(t, err, smtpclient.ReasonConfig)
	}
}

// TestTooFast submits to a provider that takes two messages per minute, with PerMinute
// set to that and without.
func TestTooFast(t *testing.T) {
	testenv.NoLeak(t)
	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{{
		Domain: "pec.example", MaxPerMinute: 2, Accounts: []pectest.Account{{Address: sender, Password: secret}},
	}}})
	open := func(opts smtpclient.Options) *smtpclient.Client {
		opts.TLS = trusttest.TLS(n)
		opts.Throttles = []smtpclient.ThrottleReply{legalmail}
		return newClient(t, n.Providers()[0].SMTPAddr(), pec.Password(sender, secret), &opts)
	}
	paced := open(smtpclient.Options{PerMinute: 2})
	for range 2 {
		o := paced.Submit(t.Context(), submission(message()))
		require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	o := paced.Submit(ctx, submission(message()))
	assertReason(t, o, pec.OutcomeTemporary, smtpclient.ReasonCanceled)
	require.ErrorIs(t, o.Err, context.DeadlineExceeded)
	assert.Zero(t, o.Reply, "the provider was not asked")

	hasty := open(smtpclient.Options{})
	o = hasty.Submit(t.Context(), submission(message()))
	assert.Equal(t, pec.OutcomeTemporary, o.Kind)
	assert.Equal(t, 550, o.Reply.Code)
	n.Advance(time.Minute)
	o = hasty.Submit(t.Context(), submission(message()))
	assert.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
}
