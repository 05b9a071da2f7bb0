package pec

import (
	"cmp"
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
)

const (
	// confirmWithin is when an acceptance is missed; it takes seconds, as a rule.
	confirmWithin = time.Hour
	// overdueAfter: the last notice leaves within 24 hours of acceptance (RFC 6109,
	// 3.1.6); the rest is for its way.
	overdueAfter = 26 * time.Hour
)

func (f *folding) flags(s Status, at time.Time) []Flag {
	var flags []Flag
	set := func(flag Flag, on bool) {
		if on {
			flags = append(flags, flag)
		}
	}
	passed := func(t time.Time) bool { return !t.IsZero() && !at.Before(t) }
	overdue := f.overdueAt(s)
	set(FlagConflict, len(f.certIDs) > 1)
	set(FlagDuplicateSend, f.duplicate(s))
	set(FlagHeld, f.heldBack())
	set(FlagOverdue, passed(overdue) && !f.readTo.Before(overdue))
	set(FlagStale, passed(overdue) && f.readTo.Before(overdue))
	set(FlagUnconfirmed, passed(f.confirmBy()))
	set(FlagUnverified, f.unproven > 0)
	slices.Sort(flags)
	return flags
}

// duplicate tells whether more than one copy was handed over, as far as we know.
func (f *folding) duplicate(s Status) bool {
	return len(f.submissions()) > 1 || slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool {
		return f.resent[envelope.NormalizeAddress(r.Address)] && !r.State.resendable()
	})
}

// confirmBy is from when on the send is unconfirmed; zero for never.
func (f *folding) confirmBy() time.Time {
	if f.submitted.IsZero() || f.certified() {
		return time.Time{}
	}
	return f.submitted.Add(confirmWithin)
}

// overdueAt is from when on a final notice is missed; zero for never. Ordinary
// recipients earn none.
func (f *folding) overdueAt(s Status) time.Time {
	open := slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool {
		return r.State == StateAccepted || r.State == StateDelayed
	})
	if !open {
		return time.Time{}
	}
	accepted := s.SentAt
	if accepted.IsZero() { // implied by another notice, which can only be later
		accepted = f.first.Time
	}
	return accepted.Add(cmp.Or(f.intent.OverdueAfter, overdueAfter))
}
