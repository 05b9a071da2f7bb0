package imapclient

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// maxHead is how much of the header fields is examined. A message with more is
// downloaded whole.
const maxHead = 64 << 10

// kindFields are the header fields by which mayBePEC judges.
var kindFields = []string{"X-Ricevuta", "X-Trasporto", "Content-Type"}

// list returns the UIDs after the cursor, ascending.
func (f *fetch) list() ([]imap.UID, error) {
	from := imap.UID(f.cursor.UID) + 1
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: from}}}}
	if since := f.turn.client.options.Since; !since.IsZero() && f.cursor.UID == 0 {
		// RFC 9051, 6.4.4: the server compares dates in its own time zone, where it can
		// still be the day before.
		criteria.Since = since.UTC().AddDate(0, 0, -1)
	}
	uids, err := f.search(criteria)
	if err != nil {
		return nil, err
	}
	// RFC 9051, 9: n:* includes the last message, even if its UID is below n.
	return slices.DeleteFunc(uids, func(uid imap.UID) bool { return uid < from }), nil
}

// search returns the UIDs that match, ascending.
func (f *fetch) search(criteria *imap.SearchCriteria) ([]imap.UID, error) {
	s := f.turn.client.session
	s.conn.allow(bulk)
	data, err := await(s, func() (*imap.SearchData, error) { return s.imap.UIDSearch(criteria, nil).Wait() })
	if err != nil {
		return nil, f.turn.fail("search", err)
	}
	set, _ := data.All.(imap.UIDSet)
	var uids []imap.UID
	for _, r := range set {
		if r.Start == 0 || r.Stop < r.Start || uint64(r.Stop-r.Start) >= uint64(maxListed-len(uids)) {
			return nil, &Error{Op: "search", Reason: ReasonProtocol, Folder: f.cursor.Folder, Err: errTooMany}
		}
		for uid := r.Start; ; uid++ {
			uids = append(uids, uid)
			if uid == r.Stop {
				break
			}
		}
	}
	return uids, nil
}

// heads fetches the heads of uids, which ascend. A UID without a head has vanished from
// the folder. If the server withholds a message, heads returns the heads before it and
// the error about it. Missing heads are asked for again, because the library loses an
// answer in which the UID follows the header, and an answer after a change of flags.
func (f *fetch) heads(uids []imap.UID) ([]head, error) {
	heads := make([]head, 0, len(uids))
	missing := uids
	for range attempts {
		got, err := f.fetchHeads(missing)
		heads = append(heads, got...)
		slices.SortFunc(heads, func(a, b head) int { return cmp.Compare(a.uid, b.uid) })
		known := func(uid imap.UID) bool {
			_, ok := slices.BinarySearchFunc(heads, uid, byUID)
			return ok
		}
		if err != nil {
			for f.answered < len(uids) && known(uids[f.answered]) {
				f.answered++
			}
			return nil, err
		}
		if missing = slices.DeleteFunc(slices.Clone(missing), known); len(missing) == 0 {
			return heads, nil
		}
		missing, err = f.search(&imap.SearchCriteria{UID: []imap.UIDSet{imap.UIDSetNum(missing...)}})
		if err != nil {
			return nil, err
		}
		if len(missing) == 0 {
			return heads, nil
		}
	}
	before, _ := slices.BinarySearchFunc(heads, missing[0], byUID)
	return heads[:before], f.withheld(missing[0])
}

func byUID(h head, uid imap.UID) int { return cmp.Compare(h.uid, uid) }

func (f *fetch) fetchHeads(uids []imap.UID) ([]head, error) {
	s := f.turn.client.session
	s.conn.allow(bulk)
	answers := f.turn.ask(imap.UIDSetNum(uids...), &imap.FetchOptions{
		UID: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{{
			Specifier:    imap.PartSpecifierHeader,
			HeaderFields: f.fields,
			Peek:         true,
		}},
	}, fields)
	var heads []head
	wanted, found := false, false
	for h, literal, ok := answers.next(); ok; h, literal, ok = answers.next() {
		if literal == nil {
			if h.wanted = wanted; found {
				heads = append(heads, h)
			}
			wanted, found = false, false
			continue
		}
		if literal.left > f.turn.client.options.MaxMessage {
			s.body = nil // it is not read: the connection ends, as if the server had hung up
			return heads, &Error{Op: "fetch", Reason: ReasonProtocol, Folder: f.cursor.Folder, Err: errHeader}
		}
		raw, err := io.ReadAll(io.LimitReader(literal, maxHead))
		if err == nil {
			wanted = f.judge(raw, literal.left == 0)
			err = literal.finish()
		}
		if err != nil {
			return heads, err
		}
		s.body, found = nil, true
	}
	return heads, f.turn.closeFetch()
}

// whole, fields and start report whether a section is one that we ask for: the whole
// message, its header fields, or its beginning.
func whole(s *imap.FetchItemBodySection) bool {
	return s.Specifier == imap.PartSpecifierNone && s.Partial == nil
}

func fields(s *imap.FetchItemBodySection) bool {
	return s.Specifier == imap.PartSpecifierHeader && s.Partial == nil
}

func start(s *imap.FetchItemBodySection) bool { return s.Specifier == imap.PartSpecifierNone }

// closeFetch ends a FETCH whose messages have all been read. NO is not an error: it
// means that some were not available (RFC 5530, 3: EXPUNGEISSUED), and the caller looks
// for them afterwards.
func (t *turn) closeFetch() error {
	s := t.client.session
	if s.stuck {
		return t.fail("fetch", errStuck)
	}
	err := s.done(s.fetch.Close)
	if err != nil && !isReply(err) {
		return t.fail("fetch", err)
	}
	s.fetch = nil
	if err == nil {
		return nil
	}
	var no *imap.Error
	if errors.As(err, &no) && no.Type == imap.StatusResponseTypeNo && t.ctx.Err() == nil {
		return nil
	}
	return t.fail("fetch", err)
}

// mayBePEC reports whether a header has what every message of a PEC provider has: one of
// the two fields that name its kind, or a signature around it (RFC 6109, 3.1.2, 3.2).
func mayBePEC(header []byte, whole bool) bool {
	if !whole {
		return true
	}
	for name, value := range headerFields(bytes.ToLower(header)) {
		switch name {
		case "x-ricevuta", "x-trasporto":
			return true
		case "content-type":
			if strings.Contains(value, "multipart/signed") {
				return true
			}
		}
	}
	return false
}

// headerFields yields the names and values of header fields, unfolded.
func headerFields(header []byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		header = bytes.ReplaceAll(header, []byte("\r\n"), []byte("\n"))
		for _, fold := range []string{"\n ", "\n\t"} {
			header = bytes.ReplaceAll(header, []byte(fold), []byte(" "))
		}
		for line := range bytes.Lines(header) {
			name, value, _ := strings.Cut(string(line), ":")
			if !yield(strings.TrimSpace(name), strings.TrimSpace(value)) {
				return
			}
		}
	}
}
