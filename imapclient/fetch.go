package imapclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/emersion/go-imap/v2"

	"github.com/gopec/gopec/pec"
)

const (
	headBatch = 500     // messages in one FETCH; its command line stays below 8000 octets (RFC 7162, 4)
	bodyBytes = 8 << 20 // about how much one FETCH asks for: an answer out of order wastes no more
	attempts  = 3       // how often a listed message is asked for before it counts as withheld
	maxListed = 1 << 24 // no folder has more messages: a longer answer is broken
)

var (
	errStopped = errors.New("the caller left the loop")
	errLast    = errors.New("that was the last message")
)

// Fetch implements pec.Mailbox. It reads from the beginning of the folder when the
// server's UIDVALIDITY differs from the cursor's. No message is skipped silently: one
// that the server lists but does not return, or that is larger than Options.MaxMessage,
// ends the iteration with a *pec.MessageError, whose cause is an *Error with
// ReasonMessage or ReasonTooLarge. The iteration holds the connection until it ends:
// make no other call from inside the loop.
func (c *Client) Fetch(ctx context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		err := c.fetch(ctx, after, func(item pec.Item) bool { return yield(item, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(pec.Item{}, err)
		}
	}
}

func (c *Client) fetch(ctx context.Context, after pec.Cursor, yield func(pec.Item) bool) error {
	t, err := c.begin(ctx, "fetch")
	if err != nil {
		return err
	}
	// Deferred, because the caller's loop may also panic.
	defer t.end()
	box, err := t.examine(after.Folder)
	if err != nil {
		return err
	}
	if box.UIDValidity != after.UIDValidity {
		after.UIDValidity, after.UID = box.UIDValidity, 0
	}
	f := &fetch{turn: t, cursor: after, fields: kindFields, judge: mayBePEC, yield: yield}
	if box.NumMessages > 0 && after.UID < 1<<32-1 {
		uids, err := f.list()
		if err == nil {
			err = f.run(uids)
		}
		if err != nil {
			t.settle(err)
			return err
		}
	}
	if after.Folder == c.options.Folders[0] {
		seen := markOf(box)
		c.seen = &seen
	}
	t.sound = true
	return nil
}

// fetch reads messages of one folder.
type fetch struct {
	turn   *turn
	cursor pec.Cursor
	fields []string // the header fields for judge
	judge  judge

	passed   imap.UID // all messages up to it are done
	answered int      // if the heads broke off: how many of the part came before the first missing one
	yield    func(pec.Item) bool
}

// judge reports whether a message is wanted. header holds the fields asked for; whole is
// false if it is only their beginning.
type judge func(header []byte, whole bool) bool

// part yields the messages of uids, which ascend.
func (f *fetch) part(uids []imap.UID) error {
	f.answered = 0
	heads, lost := f.heads(uids)
	for len(heads) > 0 {
		n := f.batch(heads)
		if n == 0 {
			return f.unreadable(heads[0].uid, ReasonTooLarge, f.tooLarge(heads[0].size))
		}
		if err := f.deliver(heads[:n]); err != nil {
			return err
		}
		heads = heads[n:]
	}
	return lost
}

// batch returns how many of heads, from the first, go into one FETCH. It stops before a
// message that is too large.
func (f *fetch) batch(heads []head) int {
	bytes := int64(0)
	for i, h := range heads {
		if !h.wanted {
			continue
		}
		if h.size > f.turn.client.options.MaxMessage || bytes > 0 && bytes+h.size > bodyBytes {
			return i
		}
		bytes += h.size
	}
	return len(heads)
}

// deliver yields heads in their order. It asks for all bodies in one FETCH and streams
// them as long as they arrive in that order. A body out of order is skipped and fetched
// again on its own, so that no cursor is yielded past an unread message.
func (f *fetch) deliver(heads []head) error {
	var wanted imap.UIDSet
	for _, h := range heads {
		if h.wanted {
			wanted.AddNum(h.uid)
		}
	}
	next := 0
	ordinary := func() error {
		for ; next < len(heads) && !heads[next].wanted; next++ {
			if err := f.hand(heads[next], nil); err != nil {
				return err
			}
		}
		return nil
	}
	if len(wanted) > 0 {
		err := f.bodies(wanted, func(uid imap.UID, b *body) error {
			if err := ordinary(); err != nil {
				return err
			}
			if next == len(heads) || heads[next].uid != uid {
				return nil
			}
			next++
			return f.hand(heads[next-1], b)
		})
		if err != nil {
			if f.hungUp(err) { // at the next message with a body
				err = cmp.Or(ordinary(), err)
			}
			return err
		}
	}
	for {
		if err := ordinary(); err != nil {
			return err
		}
		if next == len(heads) {
			return nil
		}
		vanished, err := f.single(heads[next])
		if err != nil {
			return err
		}
		f.passed = heads[next].uid
		next++
		if vanished { // a gap only: the rest may still be in order
			return f.deliver(heads[next:])
		}
	}
}

// single fetches one message that did not arrive with its batch. It returns vanished if
// the message is no longer in the folder.
func (f *fetch) single(h head) (vanished bool, err error) {
	for range attempts {
		found := false
		err := f.bodies(imap.UIDSetNum(h.uid), func(_ imap.UID, b *body) error {
			found = true
			return f.hand(h, b)
		})
		if err != nil || found {
			return false, err
		}
		left, err := f.search(&imap.SearchCriteria{UID: []imap.UIDSet{imap.UIDSetNum(h.uid)}})
		if err != nil || len(left) == 0 {
			return true, err
		}
	}
	return false, f.withheld(h.uid)
}

// withheld returns the error about a message that the server does not return.
func (f *fetch) withheld(uid imap.UID) error {
	return f.unreadable(uid, ReasonMessage, errWithheld)
}

// tooLarge returns the cause of ReasonTooLarge.
func (f *fetch) tooLarge(size int64) error {
	return fmt.Errorf("the message has %d bytes, Options.MaxMessage is %d", size, f.turn.client.options.MaxMessage)
}

// unreadable returns the error about one message. All messages before it have been
// yielded.
func (f *fetch) unreadable(uid imap.UID, reason Reason, cause error) error {
	f.cursor.UID = uint32(uid)
	return &pec.MessageError{Cursor: f.cursor, Err: &Error{
		Op: "fetch", Reason: reason, Folder: f.cursor.Folder, UID: uint32(uid), Err: cause,
	}}
}

// hand yields one message.
func (f *fetch) hand(h head, b *body) error {
	if b != nil && b.left > f.turn.client.options.MaxMessage { // more than was announced
		return f.unreadable(h.uid, ReasonTooLarge, f.tooLarge(b.left))
	}
	f.cursor.UID, f.passed = uint32(h.uid), h.uid
	item := pec.Item{Cursor: f.cursor, Arrived: h.arrived, Size: h.size}
	if b != nil {
		item.Size, item.Body, b.lent = b.left, b, true
	}
	f.turn.client.session.rest()
	goOn := f.yield(item)
	f.turn.client.session.due()
	if b != nil {
		b.lent = false
	}
	if !goOn {
		return errStopped
	}
	return nil
}

// bodies fetches whole messages and calls each for every one that arrives. An answer
// without the text does not count, such as a change of flags by another client. If the
// server refuses some of the messages, they are simply missing.
func (f *fetch) bodies(set imap.UIDSet, each func(imap.UID, *body) error) error {
	s := f.turn.client.session
	s.conn.allow(bulk)
	answers := f.turn.ask(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}, whole)
	for h, literal, ok := answers.next(); ok; h, literal, ok = answers.next() {
		if literal == nil {
			continue
		}
		err := each(h.uid, literal)
		if err == nil && literal.left > f.turn.client.options.MaxMessage {
			err = &Error{Op: "fetch", Reason: ReasonProtocol, Folder: f.cursor.Folder, Err: f.tooLarge(literal.left)}
		}
		if err == nil {
			err = literal.finish()
		}
		if err != nil {
			return err
		}
		s.body = nil
		literal.expire()
	}
	return f.turn.closeFetch()
}
