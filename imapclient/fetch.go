package imapclient

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"github.com/emersion/go-imap/v2"

	"github.com/gopec/gopec/pec"
)

const (
	headBatch = 500     // messages in one FETCH; its command line stays below 8000 octets (RFC 7162, 4)
	bodyBytes = 8 << 20 // of bodies in one, about: all that a disordered answer can waste
	attempts  = 3       // at a message that is listed and does not come
	maxListed = 1 << 24 // more UIDs than any folder has: a broken answer
)

var (
	errStopped = errors.New("stopped by the caller") // who left the loop
	errLast    = errors.New("that was the last message")
)

// Fetch implements pec.Mailbox. When the server's UIDVALIDITY differs from the
// cursor's, it starts over. A message that the server lists but does not hand out,
// or that is larger than Options.MaxMessage, ends the iteration with a
// *pec.MessageError around ReasonMessage or ReasonTooLarge, so that nothing is lost
// unseen. The iteration has the connection until it ends: no other call may be made
// from inside the loop.
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
	fields []string // of the header, to judge by
	judge  judge

	passed   imap.UID // all up to it are done with
	answered int      // when the heads broke off: how many of the part came before the first that did not
	yield    func(pec.Item) bool
}

// judge tells from its header fields whether a message is wanted; whole is false if
// there is more of them.
type judge func(header []byte, whole bool) bool

// part hands out a few messages of ascending UIDs.
func (f *fetch) part(uids []imap.UID) error {
	f.answered = 0
	heads, lost := f.heads(uids)
	for len(heads) > 0 {
		n := f.batch(heads)
		if n == 0 {
			return f.unreadable(heads[0].uid, ReasonTooLarge, errTooLarge)
		}
		if err := f.deliver(heads[:n]); err != nil {
			return err
		}
		heads = heads[n:]
	}
	return lost
}

// batch says how many of heads, from the first, go into one FETCH. It stops at a
// message that is too large.
func (f *fetch) batch(heads []head) int {
	bytes := int64(0)
	for i, h := range heads {
		if !h.pec {
			continue
		}
		if h.size > f.turn.client.options.MaxMessage || bytes > 0 && bytes+h.size > bodyBytes {
			return i
		}
		bytes += h.size
	}
	return len(heads)
}

// deliver hands out heads in their order. The bodies are asked for in one FETCH
// and streamed as long as they arrive in that order too. What does not is passed
// over and fetched again one by one, so that nothing unread is ever behind a cursor
// handed out.
func (f *fetch) deliver(heads []head) error {
	var wanted imap.UIDSet
	for _, h := range heads {
		if h.pec {
			wanted.AddNum(h.uid)
		}
	}
	next := 0
	ordinary := func() error {
		for ; next < len(heads) && !heads[next].pec; next++ {
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
			if f.hungUp(err) { // over the next one that has a body
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
		if vanished { // a gap, not disorder
			return f.deliver(heads[next:])
		}
	}
}

// single fetches one message that did not arrive with its batch. If it is no longer
// in the folder it is passed over.
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

// withheld is the error of a message that does not come.
func (f *fetch) withheld(uid imap.UID) error {
	return f.unreadable(uid, ReasonMessage, errWithheld)
}

// unreadable is the error of one message; all before it have been handed out.
func (f *fetch) unreadable(uid imap.UID, reason Reason, cause error) error {
	f.cursor.UID = uint32(uid)
	return &pec.MessageError{Cursor: f.cursor, Err: &Error{
		Op: "fetch", Reason: reason, Folder: f.cursor.Folder, UID: uint32(uid), Err: cause,
	}}
}

// hand gives one message to the caller, and reads the rest of a body afterwards.
func (f *fetch) hand(h head, b *body) error {
	if b != nil && b.left > f.turn.client.options.MaxMessage { // more than was announced
		return f.unreadable(h.uid, ReasonTooLarge, errTooLarge)
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

// bodies fetches whole messages and calls each with those that come. A message
// without its text, such as a change of flags that somebody else made, does not
// count. That the server refuses part of the set only shows in what is missing.
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
			err = &Error{Op: "fetch", Reason: ReasonProtocol, Folder: f.cursor.Folder, Err: errTooLarge}
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
