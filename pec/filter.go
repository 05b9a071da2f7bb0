package pec

import "time"

// Query asks for sends. The zero Query is all of them.
type Query struct {
	Filter Filter    // zero means all
	Since  time.Time // only sends begun at or after; zero means all
	At     time.Time // the time at which the Filter is applied; zero means now
}

// Selects tells whether a send with this Summary is asked for. A zero q.At selects
// what any time would.
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
		return passed(s.DueAt) || s.DueAt.After(q.At.Add(FarDue))
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

// Filter chooses sends.
type Filter string

// The filters.
const (
	FilterAll         Filter = ""            // every send
	FilterOpen        Filter = "open"        // something is still awaited
	FilterDue         Filter = "due"         // provably not sent, and to be offered (again) by now
	FilterOverdue     Filter = "overdue"     // a certified recipient has no final notice, and should have
	FilterUnconfirmed Filter = "unconfirmed" // nothing certified an hour after the provider's 250
	FilterUncertain   Filter = "uncertain"   // it may have left, and nothing proves either way
	FilterFailed      Filter = "failed"      // not delivered to some recipient, or taken by nobody
	FilterUnverified  Filter = "unverified"  // a message that claims to be a notice about it is not proven
)

// FarDue is how far Summary.DueAt may lie in the future: the longest pause, and what
// clocks may differ. One that lies further was computed from a wrong clock: FilterDue
// selects it, and whoever asks checks the send.
const FarDue = longestPause + claimGrace + clockTolerance
