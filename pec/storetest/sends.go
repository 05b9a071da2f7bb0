package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

var sendsChecks = []check{
	{"SendsInOrder", sendsInOrder},
	{"SendsOfEveryQuery", sendsOfEveryQuery},
	{"SendsUnsummarized", sendsUnsummarized},
	{"SummaryOfMoreEntriesStays", summaryStays},
}

func sendsInOrder(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("m", ""), entry("1", "z@x"), entry("2", "a@x"))
	mustAppend(t, s, box, entry("3", "z@x"), entry("4", "m@x"))
	mustAppend(t, s, box, entry("5", "a@x"), entry("6", "b@x"), entry("n", ""))
	want := []string{"z@x", "a@x", "m@x", "b@x"} // entries about the mailbox belong to no send
	if got := sends(t, s, box, pec.Query{}); !slices.Equal(got, want) {
		t.Errorf("the sends are %q; want %q", got, want)
	}
	// A Summary does not change the order, whatever its times.
	for i, name := range want {
		begun := at.Add(-time.Duration(i) * time.Hour)
		noError(t, s.Summarize(t.Context(), box, name, pec.Summary{Entries: 2, Begun: begun, Open: true}))
	}
	if got := sends(t, s, box, pec.Query{Filter: pec.FilterOpen}); !slices.Equal(got, want) {
		t.Errorf("the summarized sends are %q; want %q", got, want)
	}
}

// summaries returns Summaries that each Filter selects, and others that it does not.
func summaries() []pec.Summary {
	var (
		list = []pec.Summary{{}, {Open: true}, {Uncertain: true}, {Failed: true}, {Unverified: true}, {Open: true, Uncertain: true, Failed: true, Unverified: true}}
		zone = time.FixedZone("CEST", 2*3600)
	)
	for _, due := range []time.Time{at, at.Add(1), at.Add(-1), at.Add(time.Hour), at.In(zone), time.Date(1905, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)} {
		list = append(list, pec.Summary{DueAt: due}, pec.Summary{OverdueAt: due}, pec.Summary{ConfirmBy: due}, pec.Summary{Begun: due, Open: true, Failed: true})
	}
	return list
}

func sendsOfEveryQuery(t *testing.T, s pec.Store) {
	type send struct {
		name    string
		summary pec.Summary
	}
	var all []send
	for i, summary := range summaries() {
		summary.Entries = 2
		one := send{fmt.Sprintf("%d@x", i), summary}
		mustAppend(t, s, box, entry(fmt.Sprint(i, "a"), one.name), entry(fmt.Sprint(i, "b"), one.name))
		noError(t, s.Summarize(t.Context(), box, one.name, summary))
		all = append(all, one)
	}
	times := []time.Time{{}, at, at.Add(1), at.Add(-1), at.Add(24 * time.Hour), time.Date(1905, 1, 1, 0, 0, 0, 1, time.UTC), time.Unix(1<<61, 0)}
	for _, filter := range []pec.Filter{pec.FilterAll, pec.FilterOpen, pec.FilterDue, pec.FilterOverdue, pec.FilterUnconfirmed, pec.FilterUncertain, pec.FilterFailed, pec.FilterUnverified} {
		for _, since := range times {
			for _, when := range times {
				q := pec.Query{Filter: filter, Since: since, At: when}
				listed := sends(t, s, box, q)
				last := -1
				for _, one := range all {
					place := slices.Index(listed, one.name)
					switch {
					case place < 0 && q.Selects(one.summary):
						t.Errorf("filter %q since %s at %s does not list the send with %+v", filter, since, when, one.summary)
					case place >= 0 && place < last:
						t.Errorf("filter %q lists %q out of order", filter, one.name)
					case place >= 0:
						last = place
					}
				}
				slices.Sort(listed)
				if unique := len(slices.Compact(slices.Clone(listed))); unique != len(listed) {
					t.Errorf("filter %q lists a send twice: %q", filter, listed)
				}
			}
		}
	}
}

// A send without a Summary, or with entries that its Summary does not count, is listed
// under every Filter.
func sendsUnsummarized(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("1", "never@x"), entry("2", "stale@x"), entry("3", "fresh@x"))
	noError(t, s.Summarize(t.Context(), box, "stale@x", pec.Summary{Entries: 1}))
	noError(t, s.Summarize(t.Context(), box, "fresh@x", pec.Summary{Entries: 1}))
	mustAppend(t, s, box, entry("4", "stale@x"))
	late := pec.Query{Since: at.AddDate(100, 0, 0), At: at}
	for _, filter := range []pec.Filter{pec.FilterAll, pec.FilterOpen, pec.FilterDue, pec.FilterOverdue, pec.FilterUnconfirmed, pec.FilterUncertain, pec.FilterFailed, pec.FilterUnverified} {
		late.Filter = filter
		listed := sends(t, s, box, late)
		for _, name := range []string{"never@x", "stale@x"} {
			if !slices.Contains(listed, name) {
				t.Errorf("filter %q lists %q; %q is missing", filter, listed, name)
			}
		}
	}
	// A newer Summary counts. One for a send without entries is no error and lists nothing.
	noError(t, s.Summarize(t.Context(), box, "stale@x", pec.Summary{Entries: 2, Open: true}))
	noError(t, s.Summarize(t.Context(), box, "unknown@x", pec.Summary{Entries: 1}))
	if listed := sends(t, s, box, pec.Query{Filter: pec.FilterOpen}); !slices.Contains(listed, "stale@x") || slices.Contains(listed, "unknown@x") {
		t.Errorf("the open sends are %q; want stale@x and not unknown@x", listed)
	}
}

func summaryStays(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("1", "a@x"), entry("2", "a@x"))
	for _, summary := range []pec.Summary{
		{Entries: 1, Failed: true}, // out of date
		{Entries: 2, Open: true},   // kept from here on
		{Entries: 1},               // late, and counts fewer entries
		{Entries: 2},               // late, and counts as many
	} {
		noError(t, s.Summarize(t.Context(), box, "a@x", summary))
	}
	if listed := sends(t, s, box, pec.Query{Filter: pec.FilterOpen}); !slices.Equal(listed, []string{"a@x"}) {
		t.Errorf("the open sends are %q; want a@x: a later Summary replaced one that counts as many entries or more", listed)
	}
}
