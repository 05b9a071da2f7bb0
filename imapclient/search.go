package imapclient

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/emersion/go-imap/v2"

	"github.com/gopec/gopec/pec"
)

// maxMessageID is well above the 250 characters that a line of our own can have.
const maxMessageID = 400

// Search implements pec.Mailbox, with the UIDs that UID SEARCH HEADER finds (RFC
// 9051, 6.4.4): also messages whose field only contains messageID. Options.Since does
// not count. A server that refuses the search is an error of ReasonRefused. A message
// that cannot be had is told at the end, after those that can.
func (c *Client) Search(ctx context.Context, folder, messageID string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		err := c.find(ctx, folder, messageID, func(item pec.Item) bool { return yield(item, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(pec.Item{}, err)
		}
	}
}

func (c *Client) find(ctx context.Context, folder, messageID string, yield func(pec.Item) bool) error {
	if !fitsHeader(messageID) {
		return &Error{Op: "search", Reason: ReasonArgument, Err: errMessageID}
	}
	t, err := c.begin(ctx, "search")
	if err != nil {
		return err
	}
	defer t.end()
	box, err := t.examine(folder)
	if err != nil {
		return err
	}
	f := &fetch{
		turn: t, cursor: pec.Cursor{Folder: folder, UIDValidity: box.UIDValidity},
		fields: kindFields, judge: func([]byte, bool) bool { return true }, yield: yield,
	}
	uids, err := f.searchHeader("X-Riferimento-Message-ID", messageID)
	if err != nil {
		t.settle(err)
		return err
	}
	var unreadable error
	for {
		err := f.run(uids)
		t.settle(err)
		var one *pec.MessageError
		switch {
		case err == nil:
			return unreadable
		case !t.sound || !errors.As(err, &one):
			return err
		case unreadable == nil:
			unreadable = err
		}
		t.sound = false
		uids = slices.DeleteFunc(uids, func(uid imap.UID) bool { return uint32(uid) <= one.Cursor.UID })
	}
}

// searchHeader gives the UIDs of the messages that have a header field with text in it.
func (f *fetch) searchHeader(field, text string) ([]imap.UID, error) {
	return f.search(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: field, Value: text}}})
}

// fitsHeader tells whether a Message-ID can stand in a command as it is: printable
// ASCII without spaces. An empty one would find everything.
func fitsHeader(messageID string) bool {
	for i := range len(messageID) {
		if messageID[i] <= ' ' || messageID[i] > '~' {
			return false
		}
	}
	return messageID != "" && len(messageID) <= maxMessageID
}
