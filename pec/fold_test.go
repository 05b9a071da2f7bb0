package pec_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/receipt"
)

// Each row has facts, and the state into which they move luigi.
func TestFactsMoveARecipientIntoItsState(t *testing.T) {
	delay := func(key byte, after time.Duration, code string) pec.NoticeFact {
		return failure(notice(key, envelope.KindDeliveryDelay, luigi, after), envelope.CauseTimeout, code)
	}
	submission := submitted(luigi)
	accepted := append(slices.Clone(submission), acceptance())
	for name, c := range map[string]struct {
		facts []pec.Fact
		want  pec.State
	}{
		"intent alone":                       {[]pec.Fact{intent(luigi)}, pec.StatePending},
		"attempt without outcome":            {[]pec.Fact{intent(luigi), pec.Attempt{N: 1}}, pec.StateUncertain},
		"uncertain":                          {attempted(pec.OutcomeUncertain, luigi), pec.StateUncertain},
		"temporary":                          {attempted(pec.OutcomeTemporary, luigi), pec.StateRetrying},
		"login refused":                      {attempted(pec.OutcomeAuthentication, luigi), pec.StateSuspended},
		"refused":                            {attempted(pec.OutcomeRefused, luigi), pec.StateRefused},
		"submitted":                          {submission, pec.StateSubmitted},
		"without outcome, then refused":      {append(attempted(pec.OutcomeRefused, luigi), pec.Attempt{N: 2}), pec.StateUncertain},
		"submitted, then refused":            {append(submitted(luigi), pec.AttemptOutcome{N: 2, Outcome: pec.Outcome{Kind: pec.OutcomeRefused}}), pec.StateSubmitted},
		"temporary, then without outcome":    {append(attempted(pec.OutcomeTemporary, luigi), pec.Attempt{N: 2}), pec.StateUncertain},
		"uncertain, then accepted":           {append(attempted(pec.OutcomeUncertain, luigi), acceptance()), pec.StateAccepted},
		"accepted":                           {accepted, pec.StateAccepted},
		"rejected":                           {append(slices.Clone(submission), notice(2, envelope.KindNonAcceptance, "", 0)), pec.StateRejected},
		"delivered":                          {append(slices.Clone(accepted), notice(2, envelope.KindDelivery, luigi, 1)), pec.StateDelivered},
		"delivered before the acceptance":    {append(slices.Clone(submission), notice(2, envelope.KindDelivery, luigi, 1)), pec.StateDelivered},
		"failed":                             {append(slices.Clone(accepted), notice(2, envelope.KindNonDelivery, luigi, 1)), pec.StateFailed},
		"another is delivered":               {append(slices.Clone(submitted(luigi, bruna)), notice(2, envelope.KindDelivery, bruna, 1)), pec.StateAccepted},
		"delay at 12 h":                      {append(slices.Clone(accepted), delay(2, 12*time.Hour, "")), pec.StateDelayed},
		"two delays at 12 h":                 {append(slices.Clone(accepted), delay(2, 12*time.Hour, ""), delay(3, 12*time.Hour, "")), pec.StateDelayed},
		"delay at 22 h":                      {append(slices.Clone(accepted), delay(2, 22*time.Hour, "")), pec.StateExpired},
		"delay at 12 h with the final code":  {append(slices.Clone(accepted), delay(2, 12*time.Hour, "5.4.1")), pec.StateExpired},
		"delay at 22 h of the submission":    {append(slices.Clone(submission), delay(2, 22*time.Hour, "")), pec.StateExpired},
		"failed after a delay":               {append(slices.Clone(accepted), delay(2, 23*time.Hour, ""), notice(3, envelope.KindNonDelivery, luigi, 23*time.Hour)), pec.StateFailed},
		"delivered after the last delay":     {append(slices.Clone(accepted), delay(2, 23*time.Hour, ""), notice(3, envelope.KindDelivery, luigi, 30*time.Hour)), pec.StateDelivered},
		"taken in charge moves nothing":      {append(slices.Clone(submission), notice(2, envelope.KindTakeInCharge, "", 1)), pec.StateSubmitted},
		"virus detection moves nothing":      {append(slices.Clone(submission), notice(2, envelope.KindVirusDetection, luigi, 1)), pec.StateSubmitted},
		"an unknown kind is never a success": {append(slices.Clone(submission), notice(2, envelope.KindUnknown, luigi, 1)), pec.StateSubmitted},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, recipientState(t, fold(c.facts...), luigi), c.want)
		})
	}
}

func TestAnOrdinaryRecipientIsHandedOver(t *testing.T) {
	s := fold(append(submitted(luigi, info), acceptance())...)
	require.Equal(t, pec.StateOrdinary, recipientState(t, s, info))
	require.Equal(t, pec.StateAccepted, recipientState(t, s, luigi))
	r, _ := s.Recipient(info)
	require.Equal(t, pec.ClassOrdinary, r.Class)
	require.Equal(t, pec.ResultOpen, s.Result)
	require.False(t, s.Settled)
}

func TestAnAcceptanceThatDoesNotListARecipientMovesNothingForIt(t *testing.T) {
	a := acceptance()
	a.Recipients = []envelope.Recipient{{Address: luigi, Certified: true}}
	s := fold(append(submitted(luigi, bruna), a)...)
	require.Equal(t, pec.StateAccepted, recipientState(t, s, luigi))
	require.Equal(t, pec.StateSubmitted, recipientState(t, s, bruna))
}

func TestTheStatesOfTheRecipientsMakeTheResult(t *testing.T) {
	delivered := func(a string, key byte) pec.NoticeFact { return notice(key, envelope.KindDelivery, a, time.Second) }
	failed := notice(9, envelope.KindNonDelivery, nobody, time.Second)
	for name, c := range map[string]struct {
		facts   []pec.Fact
		want    pec.Result
		settled bool
	}{
		"submitted":              {submitted(luigi), pec.ResultOpen, false},
		"uncertain":              {attempted(pec.OutcomeUncertain, luigi), pec.ResultUncertain, false},
		"refused":                {attempted(pec.OutcomeRefused, luigi), pec.ResultRejected, true},
		"rejected":               {append(submitted(luigi, bruna), notice(2, envelope.KindNonAcceptance, "", 0)), pec.ResultRejected, true},
		"one of two delivered":   {append(submitted(luigi, bruna), acceptance(), delivered(luigi, 2)), pec.ResultOpen, false},
		"both delivered":         {append(submitted(luigi, bruna), acceptance(), delivered(luigi, 2), delivered(bruna, 3)), pec.ResultDelivered, true},
		"delivered and failed":   {append(submitted(luigi, nobody), acceptance(), delivered(luigi, 2), failed), pec.ResultPartial, true},
		"delivered and ordinary": {append(submitted(luigi, info), acceptance(), delivered(luigi, 2)), pec.ResultAcceptedOnly, true},
		"ordinary alone":         {append(submitted(info), acceptance()), pec.ResultAcceptedOnly, true},
		"ordinary and failed":    {append(submitted(info, nobody), acceptance(), failed), pec.ResultPartial, true},
		"failed":                 {append(submitted(nobody), acceptance(), failed), pec.ResultFailed, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := fold(c.facts...)
			require.Equal(t, c.want, s.Result)
			require.Equal(t, c.settled, s.Settled)
		})
	}
}

// Our Message-ID is visible to every recipient. A genuine notice about a message that a
// recipient sent with it must not count.
func TestNoticesOfOtherSendsChangeNothing(t *testing.T) {
	honest := append(submitted(luigi, bruna), acceptance())
	want := fold(honest...)
	for name, change := range map[string]func(*pec.NoticeFact){
		"another sender":    func(n *pec.NoticeFact) { n.Sender = "mallory@beta-pec.example" },
		"another message":   func(n *pec.NoticeFact) { n.MessageID = "m2@alfa-pec.example" },
		"no message":        func(n *pec.NoticeFact) { n.MessageID = "" },
		"another recipient": func(n *pec.NoticeFact) { n.Recipient = "mallory@beta-pec.example" },
		"no recipient":      func(n *pec.NoticeFact) { n.Recipient = "" },
	} {
		for _, kind := range []envelope.Kind{envelope.KindDelivery, envelope.KindNonDelivery, envelope.KindDeliveryDelay} {
			t.Run(name+" "+kind.String(), func(t *testing.T) {
				n := notice(7, kind, luigi, time.Hour)
				n.CertID = "forged@beta-pec.example"
				change(&n)
				require.False(t, n.Joins(intent(luigi, bruna)))
				require.Equal(t, want, fold(append(slices.Clone(honest), n)...))
			})
		}
	}
}

func TestAddressesAndIDsJoinWhateverTheirCase(t *testing.T) {
	n := notice(2, envelope.KindDelivery, " LUIGI@Beta-PEC.example ", time.Second)
	n.MessageID, n.Sender = " <M1@ALFA-pec.example> ", "Mario@Alfa-Pec.Example"
	require.Equal(t, pec.StateDelivered, recipientState(t, fold(append(submitted(luigi), n)...), luigi))
}

func TestASecondCertIDIsAConflict(t *testing.T) {
	facts := append(submitted(luigi), acceptance(), notice(2, envelope.KindDelivery, luigi, time.Second))
	s := fold(facts...)
	require.False(t, s.Has(pec.FlagConflict))
	require.Equal(t, "p1@alfa-pec.example", s.CertID)
	second := acceptance()
	second.Digest, second.CertID = envelope.Digest{5}, "p2@alfa-pec.example"
	require.True(t, fold(append(facts, second)...).Has(pec.FlagConflict))
}

// The order and the repetition of facts change nothing, nor does a notice about another
// sender's message.
func TestFoldIsIndependentOfOrderAndRepetition(t *testing.T) {
	foreign := notice(50, envelope.KindNonDelivery, luigi, time.Second)
	foreign.Sender = "mallory@beta-pec.example"
	facts := append(submitted(luigi, bruna, nobody, info), acceptance(),
		notice(2, envelope.KindDelivery, luigi, 3*time.Second),
		failure(notice(3, envelope.KindDeliveryDelay, bruna, 12*time.Hour), envelope.CauseTimeout, ""),
		failure(notice(4, envelope.KindDeliveryDelay, bruna, 23*time.Hour), envelope.CauseTimeout, ""),
		notice(5, envelope.KindDelivery, bruna, 30*time.Hour),
		failure(notice(6, envelope.KindNonDelivery, nobody, time.Second), envelope.CauseUnknownAddress, "5.1.1"),
		failure(notice(7, envelope.KindNonDelivery, nobody, time.Second), envelope.CauseOther, ""),
	)
	want := fold(facts...)
	require.Equal(t, pec.ResultPartial, want.Result)
	require.True(t, want.Settled)
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		shuffled := append(slices.Clone(facts), foreign)
		for range random.IntN(4) {
			shuffled = append(shuffled, shuffled[random.IntN(len(shuffled))])
		}
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, want, fold(shuffled...))
	}
}

// A process may stop after any fact. Every prefix of the facts has a status, and the state
// only rises.
func TestAStateNeverFallsBack(t *testing.T) {
	facts := append(submitted(luigi), acceptance(), notice(2, envelope.KindDelivery, luigi, time.Second))
	last := pec.StatePending
	for n := 1; n <= len(facts); n++ {
		if n == 2 {
			continue // an attempt without an outcome is uncertain; the outcome settles that
		}
		now := recipientState(t, fold(facts[:n]...), luigi)
		require.GreaterOrEqual(t, pec.RankForTest(now), pec.RankForTest(last))
		last = now
	}
	require.Equal(t, pec.StateDelivered, last)
}

// The detail and the failure of one recipient's notice do not show at another recipient.
func TestEvidenceOfOneRecipientDoesNotShowAtAnother(t *testing.T) {
	d := failure(notice(2, envelope.KindDelivery, luigi, time.Second), envelope.CauseOther, "5.0.0")
	d.Detail = receipt.DetailFull
	r, _ := fold(append(submitted(luigi, bruna), d)...).Recipient(bruna)
	require.Equal(t, pec.StateAccepted, r.State)
	require.Empty(t, r.Detail)
	require.Zero(t, r.Failure)
}

// When several notices support a state, the one with the earliest certified time is the
// evidence. When several attempts had the same outcome, the reply of the last is reported.
func TestTheFirstNoticeAndTheLastAttemptCount(t *testing.T) {
	first, second := notice(9, envelope.KindDelivery, luigi, time.Second), notice(2, envelope.KindDelivery, luigi, time.Minute)
	require.Equal(t, first.Digest, fold(append(submitted(luigi), second, first)...).Recipients[0].Evidence)

	again := acceptance()
	again.Digest, again.Time = envelope.Digest{0, 1}, acceptedAt.Add(time.Minute)
	require.Equal(t, acceptedAt, fold(append(submitted(luigi), again, acceptance())...).SentAt)

	retried := append(attempted(pec.OutcomeTemporary, luigi), pec.Attempt{N: 2},
		pec.AttemptOutcome{N: 2, Outcome: pec.Outcome{Kind: pec.OutcomeTemporary, Reply: pec.Reply{Code: 451}}})
	require.Equal(t, 451, fold(retried...).Recipients[0].Reply.Code)
}

// Facts that no Client records have a status too, and always the same one.
func TestOddFactsHaveAStatusToo(t *testing.T) {
	keyless := notice(0, envelope.KindDelivery, luigi, time.Second)
	require.Equal(t, pec.StateSubmitted, recipientState(t, fold(append(submitted(luigi), keyless)...), luigi), "a notice without a digest does not count")

	a, b := intent(luigi), intent(bruna)
	require.Equal(t, fold(a, b), fold(b, a))
	require.Equal(t, pec.ResultOpen, fold(intent()).Result)
	require.False(t, fold(intent()).Settled)

	delay := notice(2, envelope.KindDeliveryDelay, luigi, 23*time.Hour)
	facts := []pec.Fact{intent(luigi), pec.Attempt{N: 1, At: sentAt}, pec.Attempt{N: 2}, delay}
	reversed := slices.Clone(facts)
	slices.Reverse(reversed)
	require.Equal(t, fold(facts...), fold(reversed...), "an unknown time is not the earliest")

	i, n := intent(luigi), notice(2, envelope.KindDelivery, luigi, time.Second)
	require.Equal(t, pec.StateDelivered, recipientState(t, fold(&i, &pec.Attempt{N: 1}, &pec.AttemptOutcome{N: 1}, &n), luigi), "pointers are facts too")
}

// The cost of Fold is in proportion to the facts. A large send has a notice for each of
// 500 recipients, and each notice lists all of them.
func BenchmarkFold(b *testing.B) {
	costs := map[int]float64{}
	for _, n := range []int{50, 500} {
		facts := largeSend(n)
		b.Run(fmt.Sprintf("recipients=%d", n), func(b *testing.B) {
			for b.Loop() {
				fold(facts...)
			}
			costs[n] = float64(b.Elapsed()) / float64(b.N) / float64(n*n)
			if costs[50] > 0 {
				b.ReportMetric(costs[n]/costs[50], "x-per-listed-recipient")
			}
		})
	}
}

// largeSend returns the facts of a send to n recipients, each with a delivery that lists
// all of them.
func largeSend(n int) []pec.Fact {
	var addresses []string
	var listed []envelope.Recipient
	for i := range n {
		address := fmt.Sprintf("r%d@beta-pec.example", i)
		addresses = append(addresses, address)
		listed = append(listed, envelope.Recipient{Address: address, Certified: true})
	}
	facts := submitted(addresses...)
	for i, address := range addresses {
		d := notice(1, envelope.KindDelivery, address, time.Second)
		d.Digest = envelope.Digest{1, byte(i), byte(i >> 8)}
		d.Recipients = listed
		facts = append(facts, d)
	}
	return facts
}

func TestALargeSendIsFolded(t *testing.T) {
	s := fold(largeSend(500)...)
	require.Equal(t, pec.ResultDelivered, s.Result)
	require.Len(t, s.Recipients, 500)
}

// A send of another program has a status made from its notices alone.
func TestNoticesAloneMakeAStatus(t *testing.T) {
	require.Zero(t, fold())
	s := fold(notice(2, envelope.KindDelivery, luigi, time.Minute), acceptance())
	require.True(t, s.Elsewhere)
	require.Equal(t, ourID, s.MessageID)
	require.Equal(t, me, s.Sender)
	require.Equal(t, acceptedAt, s.Begun)
	require.Equal(t, pec.StateDelivered, recipientState(t, s, luigi))
	require.Equal(t, pec.StateAccepted, recipientState(t, s, bruna))
	require.Equal(t, pec.StateOrdinary, recipientState(t, s, info))
}
