package pec_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// Each state in the package documentation is reached by each of the facts that are said to
// move a recipient there.
func TestEveryDocumentedStateIsReached(t *testing.T) {
	claimed := []pec.Fact{intent(luigi), pec.Attempt{N: 1, At: sentAt}}
	sent := submitted(luigi)
	accepted := with(sent, acceptance())
	handedOver := with(submitted(info), acceptance())
	ways := map[string][][]pec.Fact{
		"pending":  {{intent(luigi)}, {intent(luigi), pec.Suspension{N: 1}, pec.Resumption{N: 1}}},
		"retrying": {attempted(pec.OutcomeTemporary, luigi), with(attempted(pec.OutcomeAuthentication, luigi), pec.Suspension{N: 1}, pec.Resumption{N: 1})},
		"suspended": {
			attempted(pec.OutcomeAuthentication, luigi), {intent(luigi), pec.Suspension{N: 1}},
			with(attempted(pec.OutcomeTemporary, luigi), pec.Suspension{N: 2}, pec.Resumption{N: 1}),
		},
		"uncertain": {
			claimed, attempted(pec.OutcomeUncertain, luigi), with(claimed, pec.Suspension{N: 1}),
			with(attempted(pec.OutcomeTemporary, luigi), pec.Attempt{N: 2}),
		},
		"submitted": {sent, with(claimed, pec.Resolution{N: 1, Sent: true}), with(attempted(pec.OutcomeUncertain, luigi), pec.Resolution{N: 1, Sent: true})},
		"refused": {
			attempted(pec.OutcomeRefused, luigi), {intent(luigi), pec.Abandonment{N: 1}},
			with(attempted(pec.OutcomeTemporary, luigi), pec.Abandonment{N: 2}),
			with(claimed, pec.Resolution{N: 1}), with(attempted(pec.OutcomeUncertain, luigi), pec.Resolution{N: 1}),
			with(attempted(pec.OutcomeTemporary, luigi), pec.Resolution{N: 1}),
		},
		"rejected": {with(sent, notice(2, envelope.KindNonAcceptance, "", 0)), with(attempted(pec.OutcomeRefused, luigi), notice(2, envelope.KindNonAcceptance, "", 0))},
		"accepted": {
			accepted, with(accepted, notice(2, envelope.KindNonAcceptance, "", 0)),
			with(submitted(luigi, bruna), notice(2, envelope.KindDelivery, bruna, 0)),
			with(submitted(luigi, bruna), notice(2, envelope.KindNonDelivery, bruna, 0)),
			with(submitted(luigi, bruna), notice(2, envelope.KindDeliveryDelay, bruna, 0)),
		},
		"ordinary": {handedOver, with(submitted(info, luigi), notice(2, envelope.KindDelivery, luigi, 0))},
		"bounced":  {with(handedOver, pec.BounceFact{Digest: envelope.Digest{9}, Recipient: info})},
		"delayed":  {with(accepted, delayNotice(2, 22*time.Hour-time.Second, "")), with(accepted, delayNotice(2, 12*time.Hour, ""), delayNotice(3, 12*time.Hour, ""))},
		"expired": {
			with(accepted, delayNotice(2, 22*time.Hour, "")), with(accepted, delayNotice(2, 12*time.Hour, "5.4.1")),
			with(claimed, delayNotice(2, 22*time.Hour, "")), with(sent, delayNotice(2, 22*time.Hour, "")),
		},
		"failed":    {with(accepted, notice(2, envelope.KindNonDelivery, luigi, 0)), with(sent, notice(2, envelope.KindNonDelivery, luigi, 0), delayNotice(3, 23*time.Hour, ""))},
		"delivered": {with(accepted, notice(2, envelope.KindDelivery, luigi, 0)), with(sent, notice(2, envelope.KindDelivery, luigi, 0), notice(3, envelope.KindNonDelivery, luigi, 0))},
	}
	rows := documented(t, "rank", "state")
	require.Len(t, rows, len(ways))
	for _, row := range rows {
		rank, name, final := row[0], row[1], row[2]
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, ways[name], "a documented state without a test")
			for _, facts := range ways[name] {
				s := fold(facts...)
				got := s.Recipients[0].State
				require.Equal(t, name, string(got), "%v", facts)
				require.Equal(t, rank, strconv.Itoa(pec.RankForTest(got)))
				require.Equal(t, final == "yes", got.Final())
				require.Equal(t, name, string(fold(with(facts, facts...)...).Recipients[0].State))
			}
		})
	}
	require.Equal(t, -1, pec.RankForTest(""))
}

func TestEveryDocumentedResultIsReached(t *testing.T) {
	delivered := notice(2, envelope.KindDelivery, luigi, 0)
	failed := notice(3, envelope.KindNonDelivery, nobody, 0)
	onlyLuigi := acceptance()
	onlyLuigi.Recipients = onlyLuigi.Recipients[:1]
	ways := map[string][][]pec.Fact{
		"open":      {submitted(luigi), with(submitted(luigi, bruna), delivered), {intent()}},
		"uncertain": {attempted(pec.OutcomeUncertain, luigi), with(attempted(pec.OutcomeUncertain, luigi, bruna), onlyLuigi)},
		"rejected":  {attempted(pec.OutcomeRefused, luigi, bruna), with(submitted(luigi, bruna), notice(2, envelope.KindNonAcceptance, "", 0))},
		"delivered": {with(submitted(luigi), delivered), with(submitted(luigi, bruna), delivered, notice(4, envelope.KindDelivery, bruna, 0))},
		"accepted-only": {
			with(submitted(info), acceptance()), with(submitted(luigi, info), delivered),
		},
		"failed": {
			with(submitted(nobody), failed), with(submitted(nobody, luigi), failed, delayNotice(4, 23*time.Hour, "5.4.1")),
			with(submitted(info), acceptance(), pec.BounceFact{Digest: envelope.Digest{9}, Recipient: info}),
		},
		"partial": {with(submitted(luigi, nobody), delivered, failed), with(submitted(info, nobody), failed)},
	}
	rows := documented(t, "result", "when")
	require.Len(t, rows, len(ways))
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			require.NotEmpty(t, ways[row[0]], "a documented result without a test")
			for _, facts := range ways[row[0]] {
				s := fold(facts...)
				require.EqualValues(t, row[0], s.Result, "%v", facts)
				require.Equal(t, s.Result != pec.ResultOpen && s.Result != pec.ResultUncertain, s.Settled)
			}
		})
	}
}

// Each flag in the package documentation is set by facts and a time, and is not set a
// moment earlier or with one fact less.
func TestEveryDocumentedFlagIsSet(t *testing.T) {
	accepted := with(submitted(luigi), acceptance())
	due := acceptedAt.Add(26 * time.Hour)
	second := acceptance()
	second.Digest, second.CertID = envelope.Digest{5}, "p2@alfa-pec.example"
	twice := with(submitted(luigi), pec.AttemptOutcome{N: 2, Outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}})
	resent := with(attempted(pec.OutcomeRefused, luigi), pec.Resent{Recipient: luigi})
	delayed := with(accepted, delayNotice(2, 12*time.Hour, ""), pec.ReadTo{At: due})
	short := intent(luigi)
	short.OverdueAfter = time.Hour
	after := func(restoration int) pec.Intent {
		i := intent(luigi)
		i.Restoration = restoration
		return i
	}
	type moment struct {
		facts []pec.Fact
		at    time.Time
	}
	ways := map[string]struct{ set, unset []moment }{
		"conflict":       {[]moment{{with(accepted, second), sentAt}}, []moment{{with(accepted, acceptance()), sentAt}}},
		"duplicate-send": {[]moment{{twice, sentAt}, {with(resent, acceptance()), sentAt}}, []moment{{submitted(luigi), sentAt}, {resent, sentAt}}},
		"overdue": {
			[]moment{
				{with(accepted, pec.ReadTo{At: due}), due}, {delayed, due},
				{[]pec.Fact{short, acceptance(), pec.ReadTo{At: due}}, acceptedAt.Add(time.Hour)},
			},
			[]moment{
				{with(accepted, pec.ReadTo{At: due}), due.Add(-1)}, {with(accepted, pec.ReadTo{At: due.Add(-1)}), due},
				{with(delayed, notice(7, envelope.KindDelivery, luigi, 0)), due},
				{with(submitted(info), acceptance(), pec.ReadTo{At: due}), due},
			},
		},
		"held": {
			[]moment{
				{[]pec.Fact{intent(luigi), pec.Restoration{N: 1}}, sentAt},
				{with(attempted(pec.OutcomeTemporary, luigi), pec.Restoration{N: 2}, pec.Untraced{N: 1}), sentAt},
				{[]pec.Fact{intent(luigi), pec.Restoration{N: 1}, pec.Untraced{N: 1, Trace: "another@x"}, pec.Untraced{N: 1}}, sentAt},
				{[]pec.Fact{intent(luigi), pec.Restoration{N: 1}, pec.Abandonment{N: 1, Restoration: 1}}, sentAt},
			},
			[]moment{
				{[]pec.Fact{intent(luigi), pec.Restoration{N: 1}, pec.Untraced{N: 1}}, sentAt},
				{[]pec.Fact{after(1), pec.Restoration{N: 1}}, sentAt},
				{[]pec.Fact{intent(luigi), pec.Restoration{N: 1}, pec.Abandonment{N: 1}}, sentAt},
				{with(attempted(pec.OutcomeRefused, luigi), pec.Restoration{N: 1}), sentAt},
				{with(submitted(luigi), pec.Restoration{N: 1}), sentAt},
				{with(accepted, pec.Restoration{N: 1}), sentAt},
			},
		},
		"stale":       {[]moment{{accepted, due}, {with(accepted, pec.ReadTo{At: due.Add(-1)}), due}}, []moment{{accepted, due.Add(-1)}, {with(accepted, pec.ReadTo{At: due}), due}}},
		"unconfirmed": {[]moment{{submitted(luigi), sentAt.Add(time.Second + time.Hour)}}, []moment{{submitted(luigi), sentAt.Add(time.Hour)}, {accepted, due.Add(-1)}, {with(submitted(luigi), notice(2, envelope.KindNonAcceptance, "", 0)), due}}},
		"unverified": {
			[]moment{{with(accepted, pec.UnverifiedFact{Digest: envelope.Digest{9}}), sentAt}, {with(accepted, pec.UnverifiedFact{}), sentAt}},
			[]moment{{with(accepted, pec.UnverifiedFact{Digest: acceptance().Digest}), sentAt}},
		},
	}
	rows := documented(t, "flag", "when")
	require.Len(t, rows, len(ways))
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			flag := pec.Flag(row[0])
			require.NotEmpty(t, ways[row[0]].set, "a documented flag without a test")
			for _, m := range ways[row[0]].set {
				require.True(t, pec.Fold(m.facts, m.at).Has(flag), "%v", m)
			}
			for _, m := range ways[row[0]].unset {
				require.False(t, pec.Fold(m.facts, m.at).Has(flag), "%v", m)
			}
		})
	}
}

// documented returns the rows of the table in the package documentation whose heading
// begins with the given words. Each row is split into words.
func documented(t *testing.T, heading ...string) [][]string {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	var rows [][]string
	inside := false
	for line := range strings.Lines(string(source)) {
		row, indented := strings.CutPrefix(line, "//\t")
		words := strings.Fields(row)
		switch {
		case !indented:
			inside = false
		case inside:
			rows = append(rows, words)
		case len(words) >= len(heading) && slices.Equal(words[:len(heading)], heading):
			inside = true
		}
	}
	require.NotEmpty(t, rows)
	return rows
}
