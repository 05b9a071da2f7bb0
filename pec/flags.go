package pec

import (
	"cmp"
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
)

const (
	// confirmWithin is how long an acceptance may take. Usually it takes seconds.
	confirmWithin = time.Hour
	// overdueAfter is how long after acceptance a missing final notice is overdue. The last
	// notice leaves within 24 hours (RFC 6109, 3.1.6); the rest is for transport.
	overdueAfter = 26 * time.Hour
)

// flags returns the flags at a time, in alphabetical order.
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

// duplicate reports whether more than one copy is known to have been handed over, or may
// have been: a recipient of a Resend may have the first message too.
func (f *folding) duplicate(s Status) bool {
	return len(f.submissions()) > 1 || slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool {
		return f.resent[envelope.NormalizeAddress(r.Address)] && !r.State.resendable()
	})
}

// confirmBy returns when the send becomes unconfirmed; zero for never.
func (f *folding) confirmBy() time.Time {
	if f.submitted.IsZero() || f.certified() {
		return time.Time{}
	}
	return f.submitted.Add(confirmWithin)
}

// overdueAt returns when a final notice becomes overdue; zero for never. There is none for
// ordinary recipients.
func (f *folding) overdueAt(s Status) time.Time {
	open := slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool {
		return r.State == StateAccepted || r.State == StateDelayed
	})
	if !open {
		return time.Time{}
	}
	accepted := s.SentAt
	if accepted.IsZero() { // another notice, which can only be later, implies the acceptance
		accepted = f.first.Time
	}
	return accepted.Add(cmp.Or(f.intent.OverdueAfter, overdueAfter))
}
