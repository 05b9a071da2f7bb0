package pec_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// An empty outcome, or one of an unknown kind, is uncertain: the message is not sent again.
func TestAnUnknownOutcomeIsUncertain(t *testing.T) {
	for _, kind := range []pec.OutcomeKind{"", "later", "Temporary"} {
		t.Run(string(kind), func(t *testing.T) {
			o := pec.AttemptOutcome{N: 1, Outcome: pec.Outcome{Kind: kind}}
			facts := []pec.Fact{intent(luigi), pec.Attempt{N: 1}, o}
			require.Equal(t, pec.StateUncertain, fold(facts...).Recipients[0].State)
			data, err := json.Marshal(o)
			require.NoError(t, err)
			require.Contains(t, string(data), `"Kind":"uncertain"`)

			p := &ports{outcome: kind}
			c := newClient(t, pectest.Start(t, nil), p, p, nil)
			id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Key: "k"})
			failed, ok := errors.AsType[*pec.SendError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, pec.OutcomeUncertain, failed.Outcome.Kind)
			for range c.Retry(t.Context()) {
				t.Fatal("it is tried again")
			}
			again, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Key: "k"})
			require.ErrorAs(t, err, &failed)
			require.Equal(t, id, again)
			require.Len(t, p.submitted, 1)
		})
	}
}

// A kind of outcome of a later version is an error, not one of the known kinds.
func TestAStoredOutcomeOfALaterVersionIsRefused(t *testing.T) {
	var o pec.AttemptOutcome
	require.ErrorIs(t, json.Unmarshal([]byte(`{"N":1,"Kind":"later"}`), &o), pec.ErrUnknownFact)
	require.NoError(t, json.Unmarshal([]byte(`{"N":1,"Kind":"refused"}`), &o))
	require.Equal(t, pec.OutcomeRefused, o.Outcome.Kind)
}
