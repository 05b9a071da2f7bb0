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
	// maxMessageID is well above the 250 characters that a header line of ours can have.
	maxMessageID = 400
	// searchLine is the length of the longest command, in octets: servers take at least
	// 8192 (RFC 7162, 4). Some older ones take less.
	searchLine = 7500
)

// Search implements pec.Mailbox with UID SEARCH HEADER (RFC 9051, 6.4.4), which also
// finds messages whose field merely contains one of messageIDs. It joins as many of them
// with OR as fit into one command, and fewer after a server has refused that.
// Options.Since does not apply. ReasonRefused means that the server refuses even the
// search for a single Message-ID. An unreadable message does not stop the iteration: the
// error about the first one comes at the end, after all readable messages.
func (c *Client) Search(ctx context.Context, folder string, messageIDs []string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		err := c.find(ctx, folder, messageIDs, func(item pec.Item) bool { return yield(item, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(pec.Item{}, err)
		}
	}
}

func (c *Client) find(ctx context.Context, folder string, messageIDs []string, yield func(pec.Item) bool) error {
	if len(messageIDs) == 0 {
		return nil
	}
	for _, id := range messageIDs {
		if !fitsHeader(id) {
			return &Error{Op: "search", Reason: ReasonArgument, Err: errMessageID}
		}
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
	uids, err := f.about(messageIDs)
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

// about returns the UIDs of the messages about any of the Message-IDs, ascending. It
// uses as few commands as the server accepts.
func (f *fetch) about(messageIDs []string) ([]imap.UID, error) {
	c := f.turn.client
	var all []imap.UID
	for len(messageIDs) > 0 {
		n, size := 1, termSize(messageIDs[0])
		for n < len(messageIDs) && size+termSize(messageIDs[n]) <= c.searchLine {
			size += termSize(messageIDs[n])
			n++
		}
		uids, err := f.search(anyOf(messageIDs[:n]))
		var failed *Error
		switch {
		case err == nil:
			all, messageIDs = append(all, uids...), messageIDs[n:]
			continue
		case n == 1 || !errors.As(err, &failed):
			return nil, err
		}
		switch failed.Reason {
		case ReasonRefused:
			c.searchLine = size / 2
		case ReasonUnavailable, ReasonNetwork:
			c.searchLine = size / 2 // some servers hang up at a line that is too long
			return nil, err
		default:
			return nil, err
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// termSize returns the most octets that one Message-ID takes in a command, roughly.
func termSize(messageID string) int {
	return len(`OR () HEADER "X-Riferimento-Message-ID" "" `) + 2*len(messageID)
}

// anyOf returns criteria that match any of the Message-IDs. They form a balanced tree,
// since some servers limit how deep criteria are nested.
func anyOf(messageIDs []string) *imap.SearchCriteria {
	if len(messageIDs) == 1 {
		return &imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "X-Riferimento-Message-ID", Value: messageIDs[0]}}}
	}
	half := len(messageIDs) / 2
	return &imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{*anyOf(messageIDs[:half]), *anyOf(messageIDs[half:])}}}
}

// searchHeader returns the UIDs of the messages whose header field contains text.
func (f *fetch) searchHeader(field, text string) ([]imap.UID, error) {
	return f.search(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: field, Value: text}}})
}

// fitsHeader reports whether a Message-ID can be put into a command unchanged: printable
// ASCII without spaces. An empty one would find every message.
func fitsHeader(messageID string) bool {
	for i := range len(messageID) {
		if messageID[i] <= ' ' || messageID[i] > '~' {
			return false
		}
	}
	return messageID != "" && len(messageID) <= maxMessageID
}
