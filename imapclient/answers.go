package imapclient

import (
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// head is what is known about a message before its body is fetched.
type head struct {
	uid     imap.UID
	arrived time.Time
	size    int64
	wanted  bool // as the judge of the fetch decides
}

// answers reads the answers to the FETCH in progress.
type answers struct {
	turn  *turn
	asked func(*imap.FetchItemBodySection) bool // reports whether we asked for a section
	msg   *goimap.FetchMessageData              // the message being read, nil between two
	head  head
}

// ask begins a FETCH.
func (t *turn) ask(set imap.UIDSet, options *imap.FetchOptions, asked func(*imap.FetchItemBodySection) bool) *answers {
	s := t.client.session
	s.fetch, _ = await(s, func() (*goimap.FetchCommand, error) { return s.imap.Fetch(set, options), nil })
	return &answers{turn: t, asked: asked}
}

// next advances to the next literal that was asked for, or to the end of a message,
// where it returns a nil literal; ok is false after the last message. The library is
// asked only once for this, because each question costs two changes of goroutine.
func (a *answers) next() (h head, b *body, ok bool) {
	s := a.turn.client.session
	if s.fetch == nil {
		return head{}, nil, false
	}
	literal, err := await(s, func() (imap.LiteralReader, error) { return a.advance(s.fetch) })
	if err != nil {
		return head{}, nil, false
	}
	if literal != nil {
		b = a.turn.newBody(literal)
	}
	return a.head, b, true
}

// advance does the work of next, on the goroutine that talks to the library.
func (a *answers) advance(fetch *goimap.FetchCommand) (imap.LiteralReader, error) {
	if a.msg == nil {
		a.head = head{}
		if a.msg = fetch.Next(); a.msg == nil {
			return nil, errLast
		}
	}
	for item := a.msg.Next(); item != nil; item = a.msg.Next() {
		switch item := item.(type) {
		case goimap.FetchItemDataUID:
			a.head.uid = item.UID
		case goimap.FetchItemDataInternalDate:
			a.head.arrived = item.Time
		case goimap.FetchItemDataRFC822Size:
			a.head.size = item.Size
		case goimap.FetchItemDataBodySection:
			// The library passes on only messages whose UID comes first.
			if item.Literal != nil && a.head.uid != 0 && len(item.Section.Part) == 0 && a.asked(item.Section) {
				return item.Literal, nil
			}
		}
	}
	a.msg = nil
	return nil, nil
}
