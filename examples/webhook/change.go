package main

import (
	"fmt"
	"time"

	"github.com/gopec/gopec/pec"
)

// Change is the JSON object that is posted.
type Change struct {
	Mailbox    string       `json:"mailbox"`
	Position   pec.Position `json:"position"`
	MessageID  string       `json:"messageID"` // "" when the change is about the mailbox
	Key        string       `json:"key"`
	Fact       string       `json:"fact"` // the kind of the recorded fact, such as NoticeFact
	Result     pec.Result   `json:"result"`
	Flags      []pec.Flag   `json:"flags"`
	Recipients []Recipient  `json:"recipients"` // only those whose state changed
}

// Recipient is one recipient after the change.
type Recipient struct {
	Address  string `json:"address"`
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Time     string `json:"time"` // certified time, RFC 3339, in the provider's offset; "" when there is none
	Evidence string `json:"evidence"`
}

func newChange(mailbox string, c pec.Change) Change {
	change := Change{
		Mailbox: mailbox, Position: c.Position, MessageID: c.MessageID, Key: c.After.Key,
		Fact: fmt.Sprintf("%T", c.Fact)[len("pec."):], Result: c.After.Result, Flags: append([]pec.Flag{}, c.After.Flags...),
		Recipients: []Recipient{},
	}
	for _, r := range c.Recipients() {
		recipient := Recipient{Address: r.Address, State: string(r.State), Cause: string(r.Failure.Cause), Evidence: r.Evidence.String()}
		if !r.Time.IsZero() {
			recipient.Time = r.Time.Format(time.RFC3339)
		}
		change.Recipients = append(change.Recipients, recipient)
	}
	return change
}
