package imapclient

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/emersion/go-imap/v2"

	"github.com/gopec/gopec/pec"
)

const (
	headBatch = 500     // headers in one FETCH; its command line stays below 8000 octets (RFC 7162, 4)
	bodyBatch = 100     // bodies in one FETCH
	bodyBytes = 8 << 20 // and about as many bytes: all that a disordered answer can waste
	attempts  = 3       // at a message that is listed and does not come
	maxListed = 1 << 24 // more UIDs than any folder has: a broken answer
)

// errStopped says that the caller left the loop.
var errStopped = errors.New("stopped by the caller")

// Fetch implements pec.Mailbox. When the server's UIDVALIDITY differs from the
// cursor's, it starts over. A message that the server lists but does not hand out
// ends the iteration with ReasonMessage, so that nothing is lost unseen. The
// iteration has the connection until it ends: neither Fetch nor Wait may be called
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
	if after.Folder == "" {
		t.sound = true
		return &Error{Op: "fetch", Reason: ReasonFolder, Err: errors.New("the cursor names no folder")}
	}
	box, err := t.examine(after.Folder)
	if err != nil {
		return err
	}
	if box.UIDValidity != after.UIDValidity {
		after.UIDValidity, after.UID = box.UIDValidity, 0
	}
	f := &fetch{turn: t, cursor: after, yield: yield}
	if err := f.run(box); err != nil {
		return err
	}
	if after.Folder == c.options.Folders[0] {
		seen := markOf(box)
		c.seen = &seen
	}
	t.sound = true
	return nil
}

// fetch reads one folder from a cursor to the end.
type fetch struct {
	turn   *turn
	cursor pec.Cursor
	yield  func(pec.Item) bool
}

func (f *fetch) run(box *imap.SelectData) error {
	if box.NumMessages == 0 || f.cursor.UID == 1<<32-1 {
		return nil
	}
	uids, err := f.list()
	if err != nil {
		return err
	}
	for part := range slices.Chunk(uids, headBatch) {
		heads, lost := f.heads(part)
		for len(heads) > 0 {
			n := batch(heads)
			if err := f.deliver(heads[:n]); err != nil {
				return err
			}
			heads = heads[n:]
		}
		if lost != nil {
			return lost
		}
	}
	return nil
}

// batch says how many of heads, from the first, go into one FETCH.
func batch(heads []head) int {
	bodies, bytes := 0, int64(0)
	for i, h := range heads {
		if !h.pec {
			continue
		}
		if bodies++; bodies > bodyBatch {
			return i
		}
		if bytes += h.size; bytes > bodyBytes && bodies > 1 {
			return i
		}
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

func (f *fetch) withheld(uid imap.UID) error {
	return &Error{
		Op: "fetch", Reason: ReasonMessage, Folder: f.cursor.Folder, UID: uint32(uid),
		Err: errors.New("the server lists the message and does not hand it out"),
	}
}

// hand gives one message to the caller, and reads the rest of a body afterwards.
func (f *fetch) hand(h head, b *body) error {
	f.cursor.UID = uint32(h.uid)
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
	s.fetch = s.imap.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	for msg := s.fetch.Next(); msg != nil; msg = s.fetch.Next() {
		var uid imap.UID
		for item := msg.Next(); item != nil; item = msg.Next() {
			literal := f.turn.inspect(item, &uid, whole)
			if literal == nil {
				continue
			}
			err := each(uid, literal)
			if err == nil {
				err = literal.finish()
			}
			if err != nil {
				return err
			}
			s.body = nil
			literal.expire()
		}
	}
	return f.turn.closeFetch()
}
