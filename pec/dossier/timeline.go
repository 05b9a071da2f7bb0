package dossier

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Moment is one line of the timeline.
type Moment struct {
	Time      string `json:"time"` // RFC 3339, with the offset of the system that recorded it
	Certified bool   `json:"certified"`
	// Event is the kind of a notice or envelope (envelope.Kind), or an uncertified fact:
	// intent, attempt, outcome, abandonment, resolution, resent or bounce.
	Event     string `json:"event"`
	Recipient string `json:"recipient"` // the recipient it is about; "" for all
	Provider  string `json:"provider"`
	Attempt   int    `json:"attempt"` // the number of the attempt it is about; 0 for none
	// Detail is the error text of a notice or bounce, the outcome of an attempt, the decision
	// and note of a resolution, or the Message-ID of the new send.
	Detail string `json:"detail"`
	Proof  int    `json:"proof"` // the Number of the Proof; 0 for none

	at time.Time
}

// addTimeline adds what happened, ordered by time. Certified times are whole seconds. Within
// a second the events of our own system come first, since it begins everything.
func (a *assessment) addTimeline(r *Report) {
	add := func(at time.Time, m Moment) {
		m.Time, m.at = stamp(at), at
		r.Timeline = append(r.Timeline, m)
	}
	for _, m := range a.proofs {
		p := m.proof
		if m.kind == envelope.KindAnomaly {
			continue // it certifies nothing; the bounce in it is added below
		}
		add(m.at, Moment{
			Certified: true, Event: p.Kind, Recipient: p.Recipient, Provider: p.Provider,
			Detail: p.ErrorText, Proof: p.Number,
		})
	}
	f := a.facts
	if f.Intent != nil {
		add(f.Intent.At, Moment{Event: "intent"})
	}
	for _, x := range f.Attempts {
		add(x.At, Moment{Event: "attempt", Attempt: x.N})
	}
	for _, x := range f.Outcomes {
		detail := string(x.Outcome.Kind)
		if x.Outcome.Reply.Code != 0 {
			detail += ": " + x.Outcome.Reply.String()
		}
		if x.Outcome.Err != nil {
			detail += ": " + x.Outcome.Err.Error()
		}
		add(x.At, Moment{Event: "outcome", Attempt: x.N, Detail: detail})
	}
	for _, x := range f.Abandonments {
		add(x.At, Moment{Event: "abandonment", Attempt: x.N})
	}
	for _, x := range f.Resolutions {
		detail := "not sent"
		if x.Sent {
			detail = "sent"
		}
		add(x.At, Moment{Event: "resolution", Attempt: x.N, Detail: fmt.Sprintf("%s: %s", detail, x.Note)})
	}
	for _, x := range f.Resent {
		add(x.At, Moment{Event: "resent", Recipient: x.Recipient, Detail: x.By})
	}
	numbers := a.numbers()
	for _, x := range f.Bounces {
		add(x.At, Moment{Event: "bounce", Recipient: x.Recipient, Provider: x.Provider, Detail: x.Text, Proof: numbers[x.Digest]})
	}
	order := map[bool]int{false: 0, true: 1}
	slices.SortStableFunc(r.Timeline, func(x, y Moment) int {
		return cmp.Or(cmp.Compare(x.at.Unix(), y.at.Unix()), cmp.Compare(order[x.Certified], order[y.Certified]), x.at.Compare(y.at))
	})
}
