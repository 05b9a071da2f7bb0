package pec_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// anyFacts returns facts of every kind about one send, in combinations that no program
// would record.
func anyFacts(random *rand.Rand) (facts []pec.Fact) {
	to := []string{luigi, bruna, info}
	at := func() time.Time { return sentAt.Add(time.Duration(random.IntN(30)) * time.Hour) }
	kinds := []envelope.Kind{
		envelope.KindAcceptance, envelope.KindNonAcceptance, envelope.KindDelivery, envelope.KindNonDelivery,
		envelope.KindDeliveryDelay, envelope.KindTakeInCharge, envelope.KindVirusDetection, envelope.KindUnknown,
	}
	for i := range 1 + random.IntN(14) {
		n, one := 1+random.IntN(3), to[random.IntN(len(to))]
		switch random.IntN(16) {
		case 0, 1:
			sent := intent(to[:1+random.IntN(len(to))]...)
			if sent.At, sent.Adopted = at(), random.IntN(3) == 0; sent.Adopted {
				sent.Digest = envelope.Digest{}
			}
			sent.Restoration, sent.OverdueAfter = random.IntN(3), time.Duration(random.IntN(3))*time.Hour
			sent.Key = []string{"", "k", "l"}[random.IntN(3)]
			facts = append(facts, sent)
		case 2:
			facts = append(facts, pec.Attempt{N: n, At: at()})
		case 3:
			facts = append(facts, pec.AttemptOutcome{N: n, At: at(), Outcome: pec.Outcome{Kind: outcomeKinds[random.IntN(len(outcomeKinds))], Reply: pec.Reply{Code: 250 + random.IntN(2)}}})
		case 4:
			facts = append(facts, pec.Abandonment{N: n, Restoration: random.IntN(3), Reason: []pec.GivenUp{"", pec.GivenUpCancelled, pec.GivenUpRetryFor}[random.IntN(3)]})
		case 5:
			facts = append(facts, pec.Resolution{N: n, Sent: random.IntN(2) == 0, At: at()})
		case 6:
			facts = append(facts, pec.Suspension{N: n}, pec.Resumption{N: 1 + random.IntN(3)})
		case 7:
			facts = append(facts, pec.Restoration{N: n})
		case 8:
			facts = append(facts, pec.Untraced{N: n, Trace: []string{"", "a@x", "b@x"}[random.IntN(3)]})
		case 9:
			facts = append(facts, pec.BounceFact{Digest: envelope.Digest{byte(i)}, Recipient: one, Code: "5.1.1", At: at()})
		case 10:
			facts = append(facts, pec.UnverifiedFact{SHA256: envelope.Digest{byte(i)}, Digest: envelope.Digest{byte(10 + random.IntN(14))}})
		case 11:
			facts = append(facts, pec.Resent{Recipient: one}, pec.ReadTo{At: at()})
		default:
			heard := notice(byte(10+i), kinds[random.IntN(len(kinds))], one, time.Duration(random.IntN(30))*time.Hour)
			heard.CertID = []string{"", "p1@alfa-pec.example", "p2@alfa-pec.example"}[random.IntN(3)]
			heard.Subject = []string{"", "S", "T"}[random.IntN(3)]
			heard.Failure.Code = []string{"", "5.4.1"}[random.IntN(2)]
			heard.Recipients = nil
			for _, address := range to[random.IntN(3):] {
				heard.Recipients = append(heard.Recipients, envelope.Recipient{Address: address, Certified: random.IntN(3) > 0})
			}
			if random.IntN(6) == 0 {
				heard.MessageID = "M1@alfa-pec.example"
			}
			facts = append(facts, heard)
		}
	}
	return facts
}

// Any facts have one status, whatever their order and however often each is recorded.
func TestAnyFactsHaveOneStatus(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	known := 0
	for range 4000 {
		facts := anyFacts(random)
		want := pec.Fold(facts, later)
		if want.MessageID != "" {
			known++
		}
		for range 6 {
			order := append(facts[:len(facts):len(facts)], facts[random.IntN(len(facts))], facts[random.IntN(len(facts))])
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			require.Equal(t, want, pec.Fold(order, later), "%+v", facts)
		}
	}
	require.Greater(t, known, 2000)
}
