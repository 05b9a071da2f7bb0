package pec

import "time"

// Query selects sends. The zero Query selects all of them.
type Query struct {
	Filter Filter    // zero means all
	Since  time.Time // only sends begun then or later; zero means all
	At     time.Time // the time as of which Filter applies; zero means now, in Ledger.Find
}

// Selects reports whether q selects a send with this Summary. Here a zero q.At selects
// what some time would. An unknown Filter selects nothing.
func (q Query) Selects(s Summary) bool {
	if s.Begun.Before(q.Since) {
		return false
	}
	passed := func(t time.Time) bool { return !t.IsZero() && (q.At.IsZero() || !q.At.Before(t)) }
	switch q.Filter {
	case FilterAll:
		return true
	case FilterOpen:
		return s.Open
	case FilterDue:
		return passed(s.DueAt) || s.DueAt.After(q.At.Add(MaxDueAhead))
	case FilterOverdue:
		return passed(s.OverdueAt)
	case FilterUnconfirmed:
		return passed(s.ConfirmBy)
	case FilterUncertain:
		return s.Uncertain
	case FilterFailed:
		return s.Failed
	case FilterUnverified:
		return s.Unverified
	default:
		return false
	}
}

// Filter says which sends a Query selects. The set is closed.
type Filter string

// The filters.
const (
	FilterAll         Filter = ""            // every send
	FilterOpen        Filter = "open"        // not settled
	FilterDue         Filter = "due"         // certainly not sent, and due to be offered
	FilterOverdue     Filter = "overdue"     // FlagOverdue: a final notice is missing; not those with FlagStale, which FilterOpen selects
	FilterUnconfirmed Filter = "unconfirmed" // FlagUnconfirmed: nothing certified has come an hour after the provider's 250
	FilterUncertain   Filter = "uncertain"   // ResultUncertain: it may have left, and nothing proves either way
	FilterFailed      Filter = "failed"      // some recipient is refused, rejected, bounced, expired or failed
	FilterUnverified  Filter = "unverified"  // FlagUnverified: a message that claims to be a notice about it is not proven
)

// isKnown reports whether f is one of the filters.
func (f Filter) isKnown() bool {
	switch f {
	case FilterAll, FilterOpen, FilterDue, FilterOverdue, FilterUnconfirmed, FilterUncertain, FilterFailed, FilterUnverified:
		return true
	default:
		return false
	}
}

// MaxDueAhead is how far ahead Summary.DueAt can lie, 71 minutes: the longest pause plus
// what clocks may differ. A time further ahead comes from a wrong clock. FilterDue selects
// such a send, and Find and Retry check it.
const MaxDueAhead = longestPause + claimGrace + clockTolerance
