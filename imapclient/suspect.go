package imapclient

import (
	"errors"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// suspect is the message at which a server seems to hang up. Some servers do not answer
// NO when they cannot read a message, but end the connection each time (Dovecot, when a
// file is unreadable). Everything after that message would be lost.
type suspect struct {
	uid     imap.UID // 0 for none
	strikes int      // how many connections have ended at it
}

// next returns how many of uids to ask for at once: those before the suspect, then the
// suspect alone.
func (s *suspect) next(uids []imap.UID) int {
	n := min(len(uids), headBatch)
	if i := slices.Index(uids[:n], s.uid); i >= 0 {
		n = min(n, max(i, 1))
	}
	return n
}

func (s *suspect) strike(uid imap.UID) {
	if s.uid != uid {
		*s = suspect{uid: uid}
	}
	s.strikes++
}

// run yields the messages of uids, which ascend. When the server hangs up, it goes on
// over a new connection. Once the server has hung up at one message several times, the
// error is about that message.
func (f *fetch) run(uids []imap.UID) error {
	var s suspect
	for len(uids) > 0 {
		n := s.next(uids)
		err := f.part(uids[:n])
		if err == nil {
			uids = uids[n:]
			continue
		}
		if !f.hungUp(err) {
			return err
		}
		uids = slices.DeleteFunc(uids, func(uid imap.UID) bool { return uid <= f.passed })
		if len(uids) > 0 {
			s.strike(uids[min(f.answered, len(uids)-1)])
		}
		if again := f.resume(); again != nil {
			return again
		}
		if s.strikes == attempts && errors.Is(err, errHeader) {
			return f.unreadable(s.uid, ReasonTooLarge, errHeader)
		}
		if s.strikes == attempts {
			return f.accuse(s.uid, err)
		}
	}
	return nil
}

// hungUp reports whether err means that the connection ended in the middle of a FETCH
// and between two messages, or that an answer to it made no sense. A header that is too
// large to be read counts as such an answer: its length is the choice of whoever wrote
// the message.
func (f *fetch) hungUp(err error) bool {
	var known *Error
	s := f.turn.client.session
	return errors.As(err, &known) && (known.Reason == ReasonNetwork || known.Reason == ReasonProtocol) &&
		!errors.Is(err, errFlood) && s.fetch != nil && s.body == nil
}

// resume makes a new connection in the middle of a folder.
func (f *fetch) resume() error {
	f.turn.drop()
	box, err := f.turn.examine(f.cursor.Folder)
	if err == nil && box.UIDValidity != f.cursor.UIDValidity {
		err = &Error{Op: "fetch", Reason: ReasonProtocol, Folder: f.cursor.Folder, Err: errRenumbered}
	}
	return err
}

// accuse returns the error about the message at which the server hangs up, provided that
// the server returns another message. If it does not, the message may be sound: accuse
// returns hangup, the error of the connection, and no message is skipped.
func (f *fetch) accuse(uid imap.UID, hangup error) error {
	all, err := f.search(&imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: 1}}}})
	if err != nil {
		return err
	}
	i, _ := slices.BinarySearch(all, uid)
	for _, witness := range []int{i + 1, i - 1, 0, len(all) - 1} {
		if witness < 0 || witness >= len(all) || all[witness] == uid {
			continue
		}
		if f.handsOut(all[witness]) {
			return f.withheld(uid)
		}
		if err := f.resume(); err != nil {
			return err
		}
	}
	return hangup
}

// handsOut reports whether the server returns the beginning of a message.
func (f *fetch) handsOut(uid imap.UID) (ok bool) {
	s := f.turn.client.session
	s.conn.allow(quick)
	answers := f.turn.ask(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{
		{Peek: true, Partial: &imap.SectionPartial{Size: 1}},
	}}, start)
	for _, literal, more := answers.next(); more; _, literal, more = answers.next() {
		if literal == nil {
			continue
		}
		if literal.finish() != nil {
			return false
		}
		s.body, ok = nil, true
	}
	return f.turn.closeFetch() == nil && ok
}
