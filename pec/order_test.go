package pec_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// permutations calls call with every order of the facts, in a slice that it reuses.
func permutations(facts []pec.Fact, call func([]pec.Fact)) {
	facts = slices.Clone(facts)
	var permute func(n int)
	permute = func(n int) {
		if n < 2 {
			call(facts)
			return
		}
		for i := range n { // Heap's algorithm
			permute(n - 1)
			j := i * (1 - n%2)
			facts[j], facts[n-1] = facts[n-1], facts[j]
		}
	}
	permute(len(facts))
}

// scenarios returns the facts of sends, by what happens in each.
func scenarios() map[string][]pec.Fact {
	delay := func(key byte, to string, after time.Duration, code string) pec.NoticeFact {
		return failure(notice(key, envelope.KindDeliveryDelay, to, after), envelope.CauseTimeout, code)
	}
	late := notice(40, envelope.KindAcceptance, "", time.Minute)
	late.CertID = "p2@alfa-pec.example"
	listing := notice(41, envelope.KindDelivery, bruna, 2*time.Second)
	listing.Recipients = []envelope.Recipient{{Address: bruna, Certified: true}, {Address: info, Certified: true}}
	upper := notice(42, envelope.KindDelivery, "LUIGI@BETA-PEC.EXAMPLE", time.Second)
	upper.MessageID, upper.CertID = "M1@alfa-pec.example", "P1@alfa-pec.example"
	return map[string][]pec.Fact{
		"three fates": append(submitted(luigi, bruna, nobody), acceptance(),
			notice(2, envelope.KindDelivery, luigi, time.Second),
			delay(3, bruna, 12*time.Hour, ""),
			failure(notice(4, envelope.KindNonDelivery, nobody, time.Second), envelope.CauseUnknownAddress, "5.1.1")),
		"a class on which two notices differ": append(submitted(bruna, info), acceptance(), listing,
			pec.BounceFact{Digest: envelope.Digest{9}, Recipient: info, Code: "5.1.1", Text: "a"},
			pec.BounceFact{Digest: envelope.Digest{8}, Recipient: info, Code: "5.1.1", Text: "b"}),
		"conflict": append(submitted(luigi), acceptance(), late, upper,
			notice(43, envelope.KindNonAcceptance, "", time.Second)),
		"unverified, then proven": append(submitted(luigi), acceptance(),
			pec.UnverifiedFact{SHA256: envelope.Digest{1}, Digest: envelope.Digest{2}},
			pec.UnverifiedFact{SHA256: envelope.Digest{2}},
			notice(2, envelope.KindDelivery, luigi, time.Second)),
		"attempts": {
			intent(luigi, bruna), pec.Attempt{N: 1, At: sentAt},
			pec.AttemptOutcome{N: 1, At: sentAt, Outcome: pec.Outcome{Kind: pec.OutcomeTemporary, Reply: pec.Reply{Code: 451}}},
			pec.Attempt{N: 2, At: sentAt.Add(time.Minute)},
			pec.AttemptOutcome{N: 2, At: sentAt.Add(time.Minute), Outcome: pec.Outcome{Kind: pec.OutcomeUncertain}},
			pec.Resolution{N: 2, Sent: true, At: sentAt.Add(2 * time.Hour)},
			delay(3, bruna, 22*time.Hour, ""),
		},
		"abandoned": {
			intent(luigi), pec.Attempt{N: 1, At: sentAt}, pec.Resolution{N: 1, At: sentAt.Add(time.Hour)},
			pec.AttemptOutcome{N: 1, At: sentAt.Add(2 * time.Hour), Outcome: pec.Outcome{Kind: pec.OutcomeTemporary}},
			pec.Resent{Recipient: luigi, By: "m2@alfa-pec.example"}, pec.Abandonment{N: 2},
			notice(2, envelope.KindDelivery, luigi, time.Second),
		},
		"suspended and resumed": {
			intent(luigi), pec.Attempt{N: 1, At: sentAt},
			pec.AttemptOutcome{N: 1, At: sentAt, Outcome: pec.Outcome{Kind: pec.OutcomeAuthentication}},
			pec.Suspension{N: 1}, pec.Suspension{N: 2}, pec.Resumption{N: 1}, pec.Resumption{N: 2},
		},
		"made elsewhere": {
			acceptance(), listing, upper, delay(3, nobody, 12*time.Hour, ""), delay(4, nobody, 23*time.Hour, "5.4.1"),
			notice(5, envelope.KindTakeInCharge, "", -time.Second), notice(6, envelope.KindUnknown, "", -time.Hour),
		},
		"mistakes": {
			intent(luigi), intent(bruna), intent(luigi, bruna),
			pec.AttemptOutcome{N: 1, At: sentAt, Outcome: pec.Outcome{Kind: pec.OutcomeSubmitted, Reply: pec.Reply{Code: 250}}},
			pec.AttemptOutcome{N: 1, At: later, Outcome: pec.Outcome{Kind: pec.OutcomeRefused, Reply: pec.Reply{Code: 550}}},
			pec.Resolution{N: 2, Sent: true, At: later}, pec.Resolution{N: 2, Sent: true, At: sentAt.Add(time.Hour)},
		},
		"read": append(submitted(luigi), acceptance(), pec.ReadTo{At: later}, pec.ReadTo{At: sentAt}, pec.ReadTo{}),
	}
}

// requireOneStatus folds the facts in many orders, with repetitions and noise, and in every
// order when they are few. All must have one status, which it returns.
func requireOneStatus(t *testing.T, facts []pec.Fact) pec.Status {
	t.Helper()
	want := pec.Fold(facts, later)
	if len(facts) <= 7 {
		permutations(facts, func(order []pec.Fact) {
			if got := pec.Fold(order, later); !reflect.DeepEqual(want, got) {
				require.Equal(t, want, got, "%v", order)
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	mixed := facts
	if !want.Elsewhere { // without an intent, nothing says whose send it is
		mixed = noise(facts)
	}
	for range 1000 {
		order := slices.Clone(mixed)
		for range random.IntN(5) {
			order = append(order, order[random.IntN(len(order))])
		}
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if got := pec.Fold(order, later); !reflect.DeepEqual(want, got) {
			require.Equal(t, want, got, "%v", order)
		}
	}
	return want
}

func TestEveryOrderOfFactsGivesOneStatus(t *testing.T) {
	for name, facts := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, requireOneStatus(t, facts).Recipients)
		})
	}
}

// The facts are drawn at random, for two to six recipients.
func TestEveryOrderOfRandomFactsGivesOneStatus(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		facts := randomSend(random)
		requireOneStatus(t, facts[:min(len(facts), 6)])
		requireOneStatus(t, facts)
	}
}

// mayLower reports whether one more fact may lower a state. These are all the exceptions:
//   - An attempt, its outcome or its resolution moves the states of the submission both
//     ways: what may have left outweighs what has not.
//   - A resumption ends a suspension.
//   - An intent replaces what was inferred from notices.
//   - An acceptance dates the sending, and so does an attempt while there is no acceptance.
//     A delay notice may then no longer be final.
//
// An earlier notice may also change the class of a recipient, which the caller leaves out.
func mayLower(added pec.Fact, was, is pec.State) bool {
	redated := was == pec.StateExpired && is == pec.StateDelayed
	switch f := added.(type) {
	case pec.Attempt, pec.AttemptOutcome, pec.Resolution:
		return pec.RankForTest(was) <= pec.RankForTest(pec.StateRefused) || redated
	case pec.Resumption:
		return was == pec.StateSuspended
	case pec.Intent:
		return true
	case pec.NoticeFact:
		return f.Kind == envelope.KindAcceptance && redated
	default:
		return false
	}
}

func TestOneMoreFactNeverLowersAState(t *testing.T) {
	check := func(facts []pec.Fact) {
		for i, added := range facts {
			without := slices.Delete(slices.Clone(facts), i, i+1)
			before, after := pec.Fold(without, later), pec.Fold(facts, later)
			for _, was := range before.Recipients {
				is, known := after.Recipient(was.Address)
				sameClass := was.Class == is.Class || was.Class == pec.ClassUnknown
				if known && sameClass && pec.RankForTest(is.State) < pec.RankForTest(was.State) {
					require.True(t, mayLower(added, was.State, is.State), "%s from %s to %s by %+v", was.Address, was.State, is.State, added)
				}
			}
			if _, isIntent := added.(pec.Intent); !isIntent {
				require.True(t, !before.Has(pec.FlagConflict) || after.Has(pec.FlagConflict), "%+v", added)
			}
		}
	}
	for _, facts := range scenarios() {
		permutations(facts[:min(len(facts), 5)], func(order []pec.Fact) {
			for n := 1; n <= len(order); n++ {
				check(order[:n])
			}
		})
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		check(randomSend(random))
	}
}

// Each exception of mayLower occurs, so the list is not longer than it must be.
func TestEachExceptionLowersAState(t *testing.T) {
	attempt, temporary := pec.Attempt{N: 1, At: sentAt}, attempted(pec.OutcomeTemporary, luigi)
	delay := notice(3, envelope.KindDeliveryDelay, luigi, 22*time.Hour-time.Second)
	earlier := notice(4, envelope.KindNonDelivery, bruna, -time.Second)
	earlier.Recipients = []envelope.Recipient{{Address: info, Certified: true}}
	for name, c := range map[string]struct {
		facts  []pec.Fact
		added  pec.Fact
		of     string
		before pec.State
		after  pec.State
	}{
		"an outcome":    {[]pec.Fact{intent(luigi), attempt}, temporary[2], luigi, pec.StateUncertain, pec.StateRetrying},
		"a resumption":  {append(attempted(pec.OutcomeAuthentication, luigi), pec.Suspension{N: 1}), pec.Resumption{N: 1}, luigi, pec.StateSuspended, pec.StateRetrying},
		"an intent":     {[]pec.Fact{notice(2, envelope.KindNonAcceptance, "", 0)}, pec.Intent{MessageID: ourID, Sender: bruna, To: []string{luigi}}, luigi, pec.StateRejected, pec.StatePending},
		"an acceptance": {append(submitted(luigi), delay), acceptance(), luigi, pec.StateExpired, pec.StateDelayed},
		"a class":       {append(submitted(bruna, info), acceptance()), earlier, info, pec.StateOrdinary, pec.StateAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.before, recipientState(t, fold(c.facts...), c.of))
			require.Equal(t, c.after, recipientState(t, fold(append(slices.Clone(c.facts), c.added)...), c.of))
		})
	}
}

// Genuine notices about a send to three recipients arrive in every order, each of them
// twice, among a genuine notice about another sender's message.
func TestEveryOrderOfArrivalGivesOneStatus(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), pec.Message{To: []string{luigi, bruna, nobody}, Subject: "Diffida"})
	require.NoError(t, err)
	began := o.clock.Now()
	sender, beta := o.network.Providers()[0], o.network.Providers()[1]
	certify := func(p *pectest.Provider, kind, of, recipient string, after time.Duration) []byte {
		raw, err := p.Emit(pectest.Notice{
			Kind: kind, Sender: of, MessageID: "<" + id + ">", CertID: "p1@alfa-pec.example", Delivered: recipient,
			Recipients: []pectest.Recipient{{Address: luigi}, {Address: bruna}, {Address: nobody}},
			Time:       began.Add(after),
		})
		require.NoError(t, err)
		return raw
	}
	genuine := [][]byte{
		certify(sender, pectest.KindAcceptance, me, "", time.Second),
		certify(beta, pectest.KindDelivery, me, luigi, 2*time.Second),
		certify(sender, pectest.KindDeliveryDelay, me, bruna, 12*time.Hour),
		certify(sender, pectest.KindDeliveryDelay, me, bruna, 23*time.Hour),
		certify(beta, pectest.KindNonDelivery, me, nobody, 3*time.Second),
	}
	foreign := certify(beta, pectest.KindNonDelivery, bruna, luigi, time.Hour)

	var facts []pec.Entry
	for e, err := range o.store.Changes(t.Context(), me, "") {
		require.NoError(t, err)
		facts = append(facts, e)
	}
	var want *pec.Status
	order := []pec.Fact{pec.Attempt{N: 0}, pec.Attempt{N: 1}, pec.Attempt{N: 2}, pec.Attempt{N: 3}, pec.Attempt{N: 4}}
	orders := 0
	permutations(order, func(order []pec.Fact) {
		if orders++; orders%4 != 0 && testing.Short() {
			return
		}
		store := pec.NewMemory()
		_, err := store.Append(t.Context(), me, facts...)
		require.NoError(t, err)
		p := &ports{inbox: [][]byte{foreign}}
		c := openOffice(t, o.network, p, store, &pec.Options{Now: o.clock.Now})
		for _, at := range order {
			raw := genuine[at.(pec.Attempt).N]
			p.inbox = append(p.inbox, raw, raw)
		}
		syncAll(t, c.Client)
		s, err := c.Status(t.Context(), id)
		require.NoError(t, err)
		if want == nil {
			want = &s
		}
		require.Equal(t, *want, s)
	})
	require.Equal(t, 120, orders)
	require.Equal(t, pec.ResultPartial, want.Result)
	require.Equal(t, pec.StateDelivered, recipientState(t, *want, luigi))
	require.Equal(t, pec.StateExpired, recipientState(t, *want, bruna))
	require.Equal(t, pec.StateFailed, recipientState(t, *want, nobody))
	require.Empty(t, want.Flags)
}

// Somebody who knows our Message-ID, or who has seen our notices, replays genuine notices.
// Nothing changes, or the conflict shows.
func TestReplaysChangeNothingOrShowAConflict(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	other, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	beta := o.network.Providers()[1]
	accepted := emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")
	o.inbox = [][]byte{accepted}
	syncAll(t, o.Client)
	status := func() pec.Status {
		s, err := o.Status(t.Context(), id)
		require.NoError(t, err)
		return s
	}
	want := status()
	require.Equal(t, pec.StateAccepted, want.Recipients[0].State)
	for name, raw := range map[string][]byte{
		"another sender":    emit(t, beta, pectest.KindDelivery, bruna, id, luigi),
		"another recipient": emit(t, beta, pectest.KindDelivery, me, id, bruna),
		"another message":   emit(t, beta, pectest.KindDelivery, me, "m9@desk", luigi),
		"another send":      emit(t, beta, pectest.KindDelivery, me, other, luigi),
		"a prefix":          emit(t, beta, pectest.KindDelivery, me, id+"x", luigi),
		"the same again":    accepted,
	} {
		o.inbox = append(o.inbox, raw)
		events := syncAll(t, o.Client)
		require.Len(t, events, 1, name)
		require.Nil(t, events[0].Unverified, name)
		if strings.HasPrefix(name, "another ") && name != "another send" && name != "another message" {
			require.Empty(t, events[0].MessageID, name)
		}
		require.Equal(t, want, status(), name)
	}
	require.Equal(t, pec.StateDelivered, o.state(t, other))
	o.clock.advance(48 * time.Hour)
	o.inbox = append(o.inbox, accepted)
	require.True(t, syncAll(t, o.Client)[0].Repeated, "it is a delayed copy")
	require.Equal(t, want.Recipients, status().Recipients)

	second, err := beta.Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: me, MessageID: "<" + id + ">", CertID: "p2@alfa-pec.example",
		Delivered: luigi, Recipients: []pectest.Recipient{{Address: luigi}},
	})
	require.NoError(t, err)
	o.inbox = append(o.inbox, second)
	syncAll(t, o.Client)
	require.True(t, status().Has(pec.FlagConflict))
}
