package pec_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

const (
	me     = "mario@alfa-pec.example"
	luigi  = "luigi@beta-pec.example"
	bruna  = "bruna@beta-pec.example"
	nobody = "nobody@beta-pec.example"
	info   = "info@example.org"
	ourID  = "m1@alfa-pec.example"
)

var (
	sentAt     = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	acceptedAt = sentAt.Add(5 * time.Second)
)

// later is more than a day later: every time that a status depends on has passed.
var later = acceptedAt.Add(30 * time.Hour)

// outcomeKinds are all the kinds of outcomes.
var outcomeKinds = []pec.OutcomeKind{
	pec.OutcomeUncertain, pec.OutcomeSubmitted, pec.OutcomeRefused, pec.OutcomeTemporary, pec.OutcomeAuthentication,
}

// intent returns an intent to send a message to the recipients.
func intent(recipients ...string) pec.Intent {
	return pec.Intent{MessageID: ourID, Sender: me, To: recipients, Subject: "Diffida", At: sentAt}
}

// submitted returns an intent, and one attempt that the provider answered with 250.
func submitted(recipients ...string) []pec.Fact {
	return attempted(pec.OutcomeSubmitted, recipients...)
}

// attempted returns an intent, and one attempt with an outcome of the kind.
func attempted(kind pec.OutcomeKind, recipients ...string) []pec.Fact {
	return []pec.Fact{
		intent(recipients...),
		pec.Attempt{N: 1, At: sentAt},
		pec.AttemptOutcome{N: 1, At: sentAt.Add(time.Second), Outcome: pec.Outcome{Kind: kind, Reply: pec.Reply{Code: 250}}},
	}
}

// notice returns a proven notice about our message, certified at the given time after the
// acceptance. Two notices with one key are the same notice.
func notice(key byte, kind envelope.Kind, recipient string, after time.Duration) pec.NoticeFact {
	return pec.NoticeFact{
		Digest: envelope.Digest{key}, Kind: kind, MessageID: ourID, CertID: "p1@alfa-pec.example", Sender: me,
		Recipients: []envelope.Recipient{
			{Address: luigi, Certified: true}, {Address: bruna, Certified: true},
			{Address: nobody, Certified: true}, {Address: info},
		},
		Recipient: recipient, Provider: "Alfa PEC", Time: acceptedAt.Add(after),
	}
}

// failure returns the notice with a cause and a code of failure.
func failure(n pec.NoticeFact, cause envelope.Cause, code string) pec.NoticeFact {
	n.Failure = envelope.Failure{Cause: cause, Code: code}
	return n
}

// delayNotice returns a delay notice about luigi, certified at the given time after the
// acceptance.
func delayNotice(key byte, after time.Duration, code string) pec.NoticeFact {
	return failure(notice(key, envelope.KindDeliveryDelay, luigi, after), envelope.CauseTimeout, code)
}

// acceptance returns the acceptance of our message.
func acceptance() pec.NoticeFact { return notice(1, envelope.KindAcceptance, "", 0) }

// with returns the facts and more.
func with(facts []pec.Fact, more ...pec.Fact) []pec.Fact { return append(slices.Clone(facts), more...) }

// randomSend returns facts about a send. Each of them is possible, but not always with the
// others.
func randomSend(random *rand.Rand) []pec.Fact {
	all := []string{luigi, bruna, nobody, info, "a@beta-pec.example", "b@beta-pec.example"}
	to := all[:2+random.IntN(len(all)-1)]
	after := func() time.Duration { return time.Duration(random.IntN(26*60)) * time.Minute }
	facts := attempted(outcomeKinds[random.IntN(len(outcomeKinds))], to...)
	for range random.IntN(3) {
		n := 1 + random.IntN(3)
		facts = append(facts, []pec.Fact{
			pec.Attempt{N: n, At: sentAt.Add(after())},
			pec.AttemptOutcome{N: n, At: sentAt.Add(after()), Outcome: pec.Outcome{Kind: outcomeKinds[random.IntN(len(outcomeKinds))]}},
			pec.Resolution{N: n, Sent: random.IntN(2) == 0, At: sentAt.Add(after())},
			pec.Abandonment{N: n}, pec.Suspension{N: n}, pec.Resumption{N: n},
			pec.Restoration{N: n}, pec.Untraced{N: n}, pec.Untraced{N: n, Trace: "another@x"}, pec.Abandonment{N: n, Restoration: n},
			pec.Resent{Recipient: to[random.IntN(len(to))]}, pec.ReadTo{At: sentAt.Add(after())},
		}[random.IntN(12)])
	}
	for i := range 2 + random.IntN(8) {
		kinds := []envelope.Kind{
			envelope.KindAcceptance, envelope.KindNonAcceptance, envelope.KindDelivery, envelope.KindNonDelivery,
			envelope.KindDeliveryDelay, envelope.KindTakeInCharge, envelope.KindVirusDetection, envelope.KindUnknown,
		}
		n := notice(byte(10+i), kinds[random.IntN(len(kinds))], to[random.IntN(len(to))], after())
		n.CertID = fmt.Sprintf("p%d@alfa-pec.example", 1+random.IntN(12)/11)
		n.Recipients = nil
		for _, address := range to[random.IntN(2):] {
			n.Recipients = append(n.Recipients, envelope.Recipient{Address: address, Certified: random.IntN(6) > 0})
		}
		facts = append(facts, n)
	}
	return facts
}

// noise returns the facts with others that must not change the status: notices that do not
// join the send, and facts that prove nothing.
func noise(facts []pec.Fact) []pec.Fact {
	change := func(key byte, kind envelope.Kind, f func(*pec.NoticeFact)) pec.Fact {
		n := notice(key, kind, luigi, 23*time.Hour)
		n.CertID = "forged@beta-pec.example"
		f(&n)
		return n
	}
	return append(slices.Clone(facts),
		change(100, envelope.KindDelivery, func(n *pec.NoticeFact) { n.Sender = bruna }),
		change(101, envelope.KindNonDelivery, func(n *pec.NoticeFact) { n.Recipient = "mallory@beta-pec.example" }),
		change(102, envelope.KindNonAcceptance, func(n *pec.NoticeFact) { n.MessageID = "m2@alfa-pec.example" }),
		change(0, envelope.KindDelivery, func(*pec.NoticeFact) {}),
		pec.CertLink{CertID: "forged@beta-pec.example"}, pec.Recovered{}, pec.SetAside{},
	)
}

// fold returns the status a minute after the message was sent.
func fold(facts ...pec.Fact) pec.Status { return pec.Fold(facts, sentAt.Add(time.Minute)) }

// recipientState returns the state of one recipient.
func recipientState(t *testing.T, s pec.Status, address string) pec.State {
	t.Helper()
	r, ok := s.Recipient(address)
	require.True(t, ok, address)
	return r.State
}

// crlf returns text with the line ends of mail.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// lines joins n lines. The format of a line is given its number.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// addresses returns n addresses of PEC mailboxes.
func addresses(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("r%d@beta-pec.example", i))
	}
	return list
}

// errorOf returns the error of a call with two results.
func errorOf[A, B any](_ A, b B) B { return b }

// lastError runs an iteration to its end and returns the error of its last element.
func lastError[T any](seq func(func(T, error) bool)) (err error) {
	seq(func(_ T, e error) bool {
		err = e
		return true
	})
	return err
}
