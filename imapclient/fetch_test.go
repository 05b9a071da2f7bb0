package imapclient_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

func TestFetch(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	c := f.open(t, nil)
	all, items, err := collect(context.Background(), c, inbox)
	require.NoError(t, err)
	assert.Equal(t, []got{{1, three[0]}, {2, "-"}, {3, three[2]}}, all)
	for i, item := range items {
		assert.Equal(t, pec.Cursor{Folder: "INBOX", UIDValidity: 7, UID: uint32(i + 1)}, item.Cursor)
		assert.Equal(t, int64(len(three[i])), item.Size)
		assert.Equal(t, "2026-11-21T10:00:00+01:00", item.Arrived.Format(time.RFC3339))
	}
	assert.Nil(t, items[1].Body)
	assert.Empty(t, f.heard("SELECT"), "read-only")
	for _, line := range f.heard("UID FETCH") {
		assert.Contains(t, line, "BODY.PEEK[")
	}

	// From a cursor: the last message, which n:* includes, is not read twice.
	all, _, err = collect(context.Background(), c, items[1].Cursor)
	require.NoError(t, err)
	assert.Equal(t, []got{{3, three[2]}}, all)
	before := len(f.heard("UID FETCH"))
	all, _, err = collect(context.Background(), c, items[2].Cursor)
	require.NoError(t, err)
	assert.Empty(t, all)
	assert.Len(t, f.heard("UID FETCH"), before)
	assert.Equal(t, 1, f.dials)

	// Nothing comes after the highest possible UID.
	all, _, err = collect(context.Background(), c, pec.Cursor{Folder: "INBOX", UIDValidity: 7, UID: 1<<32 - 1})
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestUIDValidityChanges(t *testing.T) {
	f := newFake(t, three...)
	c := f.open(t, nil)
	_, items, err := collect(context.Background(), c, inbox)
	require.NoError(t, err)
	f.lock(func() { f.validity = 8 })
	all, items, err := collect(context.Background(), c, items[2].Cursor)
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, uint32(8), items[0].Cursor.UIDValidity)

	f.lock(func() { f.validity = 0 })
	_, _, err = collect(context.Background(), c, items[2].Cursor)
	checkReason(t, err, imapclient.ReasonProtocol)
}

// TestAnswers lists answers with which a careless reader would mix up, lose or repeat
// messages. Some of them are not allowed.
func TestAnswers(t *testing.T) {
	want := []got{{1, three[0]}, {2, "-"}, {3, three[2]}}
	cases := []struct {
		name  string
		spoil func(*fake)
		want  []got
		uid   uint32 // of a ReasonMessage
	}{
		{"bodies in descending order", func(f *fake) { f.reverse = true }, want, 0},
		{"a body comes at the second request only", func(f *fake) { f.mails[0].omit = 1 }, want, 0},
		{"a body comes at the third request only", func(f *fake) { f.mails[0].omit = 2 }, want, 0},
		{"flags change before each answer", func(f *fake) { f.mails[0].flags = 100 }, nil, 1},
		{"flags change before one header", func(f *fake) { f.mails[0].flags = 1 }, want, 0},
		{"flags change before two headers", func(f *fake) { f.mails[2].flags = 2 }, want, 0},
		{"vanished after its header", func(f *fake) { f.mails[0].vanish = true }, want[1:], 0},
		{"all vanished", func(f *fake) { f.mails[0].vanish, f.mails[2].vanish = true, true }, want[1:2], 0},
		{"no body, ever", func(f *fake) { f.mails[0].nobody = true }, nil, 1},
		{"no body for the last", func(f *fake) { f.mails[2].nobody = true }, want[:2], 3},
		{"never answered", func(f *fake) { f.mails[2].omit = 100 }, want[:2], 3},
		{"UID after the literal", func(f *fake) { f.mails[2].late = true }, want[:2], 3},
		{"unasked data", func(f *fake) {
			f.noise = "* 2 FETCH (FLAGS (\\Seen))\r\n* 9 FETCH (UID 99 BODY[] {3}\r\nxyz)\r\n* 9 EXPUNGE\r\n* OK still here\r\n"
		}, want, 0},
		{"refused bodies", func(f *fake) { f.mails[0].omit = 100 }, nil, 1},
		{"search unsorted", func(f *fake) { f.mails[0], f.mails[2] = f.mails[2], f.mails[0] }, want, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t, three...)
			c.spoil(f)
			all, _, err := collect(context.Background(), f.open(t, nil), inbox)
			assert.Equal(t, c.want, all)
			if c.uid == 0 {
				require.NoError(t, err)
				return
			}
			checkReason(t, err, imapclient.ReasonMessage)
			var known *imapclient.Error
			require.ErrorAs(t, err, &known)
			assert.Equal(t, c.uid, known.UID)
			assert.Equal(t, "INBOX", known.Folder)
			var one *pec.MessageError
			require.ErrorAs(t, err, &one)
			assert.Equal(t, pec.Cursor{Folder: "INBOX", UIDValidity: 7, UID: c.uid}, one.Cursor)
		})
	}
	require.Len(t, cases, 15)
}

func TestBatches(t *testing.T) {
	f := newFake(t)
	var want []got
	for i := range 1300 {
		text := fmt.Sprintf("%snumber %d\r\n", notice, i)
		if i%7 == 3 {
			text = plain
		}
		f.add(text)
		if i%5 == 0 { // gaps
			f.next += 3
		}
	}
	for _, m := range f.mails {
		g := got{m.uid, m.text}
		if m.text == plain {
			g.body = "-"
		}
		want = append(want, g)
	}
	all, _, err := collect(context.Background(), f.open(t, nil), inbox)
	require.NoError(t, err)
	require.Equal(t, want, all)
	for _, line := range f.heard("UID FETCH") {
		assert.Less(t, len(line), 8000)
	}
	assert.Len(t, f.heard("UID FETCH"), 3+3, "batches of 500")
}

func TestBatchBytes(t *testing.T) {
	big := notice + strings.Repeat("x", 5<<20) + "\r\n"
	f := newFake(t, big, big, big)
	all, _, err := collect(context.Background(), f.open(t, nil), inbox)
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Len(t, f.heard("UID FETCH"), 1+3)
	for _, g := range all {
		assert.Equal(t, len(big), len(g.body))
	}
}

// TestGap lets two of many messages vanish: the rest still comes in batches.
func TestGap(t *testing.T) {
	f := newFake(t)
	for i := range 90 {
		f.add(fmt.Sprintf("%snumber %d\r\n", notice, i))
	}
	f.mails[10].vanish, f.mails[50].vanish = true, true
	all, _, err := collect(context.Background(), f.open(t, nil), inbox)
	require.NoError(t, err)
	require.Len(t, all, 88)
	for i, g := range all {
		if i > 0 {
			require.Greater(t, g.uid, all[i-1].uid)
		}
		require.Equal(t, fmt.Sprintf("%snumber %d\r\n", notice, g.uid-1), g.body)
	}
	assert.Len(t, f.heard("UID FETCH"), 1+3+2)
}

// TestMayBePEC lists headers, and whether the message is downloaded.
func TestMayBePEC(t *testing.T) {
	cases := map[string]bool{
		"X-Ricevuta: avvenuta-consegna\r\n":                         true,
		"X-TRASPORTO: posta-certificata\r\n":                        true,
		"x-ricevuta:\r\n accettazione\r\n":                          true,
		"Content-Type: Multipart/Signed; protocol=x\r\n":            true,
		"Content-Type:\r\n\tmultipart/signed;\r\n boundary=y\r\n":   true,
		"Content-Type: multipart/mixed; boundary=z\r\n":             false,
		"Content-Type: text/plain;\r\n name=\"x-ricevuta: no\"\r\n": false,
		"": false,
		"Content-Type: a/b; c=\"" + strings.Repeat("long ", 20000) + "\"\r\n": true,
	}
	for header, want := range cases {
		f := newFake(t, header+"\r\nbody\r\n")
		all, _, err := collect(context.Background(), f.open(t, nil), inbox)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, want, all[0].body != "-", "%.60q", header)
	}
	require.Len(t, cases, 9)
}

func TestSince(t *testing.T) {
	f := newFake(t, three...)
	c := f.open(t, &imapclient.Options{Since: time.Date(2026, 11, 20, 0, 30, 0, 0, time.FixedZone("", 3600))})
	_, items, err := collect(context.Background(), c, inbox)
	require.NoError(t, err)
	// In UTC it is still the 19th, and in the server's zone it may be the 18th.
	assert.Equal(t, []string{`UID SEARCH SINCE "18-Nov-2026" UID 1:*`}, sorted(f.heard("UID SEARCH")))
	_, _, err = collect(context.Background(), c, items[0].Cursor)
	require.NoError(t, err)
	assert.Equal(t, "UID SEARCH UID 2:*", f.heard("UID SEARCH")[1])
}

// sorted puts the terms of each search into the same order.
func sorted(lines []string) []string {
	for i, line := range lines {
		if strings.HasPrefix(line, "UID SEARCH UID 1:* SINCE") {
			lines[i] = `UID SEARCH SINCE ` + strings.TrimPrefix(line, "UID SEARCH UID 1:* SINCE ") + ` UID 1:*`
		}
	}
	return lines
}

func TestLeavingEarly(t *testing.T) {
	for _, how := range []string{"break", "panic", "unread body", "half a body"} {
		t.Run(how, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t)
			for i := range 300 {
				f.add(fmt.Sprintf("%snumber %d\r\n%s\r\n", notice, i, strings.Repeat("x", 9000)))
			}
			c := f.open(t, nil)
			n := 0
			leave := func() {
				defer func() { _ = recover() }()
				for item, err := range c.Fetch(context.Background(), inbox) {
					require.NoError(t, err)
					if n++; n < 3 {
						continue // bodies unread on purpose
					}
					switch how {
					case "panic":
						panic("by the caller")
					case "half a body":
						_, err := io.ReadFull(item.Body, make([]byte, 4000))
						require.NoError(t, err)
					case "unread body":
						continue
					}
					break
				}
			}
			leave()
			if how == "unread body" {
				assert.Equal(t, 300, n)
			} else {
				assert.Equal(t, 3, n)
			}
			all, _, err := collect(context.Background(), c, inbox)
			require.NoError(t, err)
			assert.Len(t, all, 300)
			c.Close()
		})
	}
}

// TestSlowCaller takes longer for each message than the server may be silent.
func TestSlowCaller(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t)
	for range 500 { // a batch without bodies to fetch
		f.add(plain)
	}
	f.add(notice + strings.Repeat("a long one\r\n", 10000))
	f.add(plain)
	const timeout = 150 * time.Millisecond
	c := f.open(t, &imapclient.Options{Timeout: timeout})
	n := 0
	for item, err := range c.Fetch(context.Background(), inbox) {
		require.NoError(t, err)
		if n++; n > 1 && n < 500 {
			continue
		}
		<-time.After(2 * timeout)
		if item.Body != nil {
			_, err := io.ReadFull(item.Body, make([]byte, 10))
			require.NoError(t, err)
			<-time.After(2 * timeout)
			_, err = io.ReadAll(item.Body)
			require.NoError(t, err)
		}
	}
	assert.Equal(t, 502, n)
	assert.Equal(t, 1, f.dials)
	c.Close()
}

// TestLostHeader ends the connection while it is not known whether a message has
// vanished: no message after it may be yielded.
func TestLostHeader(t *testing.T) {
	f := newFake(t, notice, plain, plain)
	f.mails[0].flags = 1
	f.at, f.fault = "SEARCH 2", "close"
	all, _, err := collect(context.Background(), f.open(t, nil), inbox)
	checkReason(t, err, imapclient.ReasonNetwork)
	assert.Empty(t, all)
}

// TestKeptBody reads bodies after the loop has moved on.
func TestKeptBody(t *testing.T) {
	f := newFake(t, three...)
	c := f.open(t, nil)
	var kept []io.Reader
	for item, err := range c.Fetch(context.Background(), inbox) {
		require.NoError(t, err)
		if item.Body != nil {
			kept = append(kept, item.Body)
		}
	}
	require.Len(t, kept, 2)
	for _, body := range kept {
		n, err := body.Read(make([]byte, 10))
		assert.Zero(t, n)
		checkReason(t, err, imapclient.ReasonClosed)
	}
}

func TestFolders(t *testing.T) {
	f := newFake(t, three...)
	c := f.open(t, &imapclient.Options{Folders: []string{"INBOX", "INBOX.Inviata", "Così"}})
	folders := c.Folders()
	assert.Equal(t, []string{"INBOX", "INBOX.Inviata", "Così"}, folders)
	folders[0] = "changed"
	assert.Equal(t, "INBOX", c.Folders()[0])
	for _, folder := range c.Folders() {
		_, items, err := collect(context.Background(), c, pec.Cursor{Folder: folder})
		require.NoError(t, err)
		assert.Equal(t, folder, items[0].Cursor.Folder)
	}
	assert.Equal(t, []string{"EXAMINE INBOX", `EXAMINE "INBOX.Inviata"`, `EXAMINE "Cos&AOw-"`}, f.heard("EXAMINE"))

	_, _, err := collect(context.Background(), c, pec.Cursor{})
	checkReason(t, err, imapclient.ReasonFolder)
	f.lock(func() { f.refuse["EXAMINE"] = "NO [NONEXISTENT] no such folder" })
	_, _, err = collect(context.Background(), c, pec.Cursor{Folder: "Elsewhere"})
	checkReason(t, err, imapclient.ReasonFolder)
	f.lock(func() { delete(f.refuse, "EXAMINE") })
	_, _, err = collect(context.Background(), c, inbox)
	require.NoError(t, err)
	assert.Equal(t, 1, f.dials, "a missing folder does not end the connection")
}
