package killtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// table adds up the verdicts on runs, by where the workers were killed.
type table struct {
	driver string
	rows   map[string]row
}

// row is the sum of several verdicts.
type row struct {
	runs, kills                    int
	sent, uncertain, unknown, lost int
	copies                         int // the maximum, not the sum
}

// newTable returns a table that is logged when the test ends.
func newTable(t *testing.T, driver string) *table {
	r := &table{driver, map[string]row{}}
	t.Cleanup(func() { r.log(t) })
	return r
}

func (r *table) add(name string, kills int, v verdict) {
	o := r.rows[name]
	o.runs++
	o.kills += kills
	o.sent += v.sent
	o.uncertain += v.uncertain
	o.unknown += v.unknown
	o.lost += v.lost
	o.copies = max(o.copies, v.copies)
	r.rows[name] = o
}

func (r *table) log(t *testing.T) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\truns\tkills\tmost copies\tlost\tsent\tuncertain\tnever begun\t\n", r.driver)
	var all row
	for _, name := range slices.Sorted(maps.Keys(r.rows)) {
		o := r.rows[name]
		all.runs, all.kills, all.copies = all.runs+o.runs, all.kills+o.kills, max(all.copies, o.copies)
		all.lost, all.sent = all.lost+o.lost, all.sent+o.sent
		all.uncertain, all.unknown = all.uncertain+o.uncertain, all.unknown+o.unknown
		o.print(w, name)
	}
	all.print(w, "all")
	_ = w.Flush()
	t.Logf("messages at the provider and in the store:\n%s", text.String())
}

func (o row) print(w *tabwriter.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, o.runs, o.kills, o.copies, o.lost, o.sent, o.uncertain, o.unknown)
}
