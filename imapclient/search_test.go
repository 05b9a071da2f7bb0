package imapclient_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

func TestSearch(t *testing.T) {
	testenv.NoLeak(t)
	about := "X-Riferimento-Message-ID: " + reference + "\r\n"
	f := newFake(t, about+notice, notice, about+plain+"no PEC by its header\r\n", about+notice, about+notice)
	ctx := context.Background()
	c := f.open(t, &imapclient.Options{Since: time.Now()})
	all, err := searched(ctx, c, "INBOX", reference)
	require.NoError(t, err)
	assert.Equal(t, []got{{1, f.mails[0].text}, {3, f.mails[2].text}, {4, f.mails[3].text}, {5, f.mails[4].text}}, all)
	assert.Equal(t, []string{`UID SEARCH HEADER "X-Riferimento-Message-ID" "<abc.123@pec.example>"`}, f.heard("UID SEARCH"))
	assert.Len(t, f.heard("EXAMINE INBOX"), 1)
	for item := range c.Search(ctx, "INBOX", []string{reference}) {
		assert.Equal(t, pec.Cursor{Folder: "INBOX", UIDValidity: 7, UID: 1}, item.Cursor)
		break
	}
	all, err = searched(ctx, c, "INBOX", "<another@pec.example>")
	require.NoError(t, err)
	assert.Empty(t, all)

	// Unreadable messages do not hide the others.
	f.lock(func() { f.mails[2].nobody = true; f.mails[3].hang = 1000 })
	all, err = searched(ctx, c, "INBOX", reference)
	var one *pec.MessageError
	require.ErrorAs(t, err, &one)
	assert.Equal(t, uint32(3), one.Cursor.UID)
	assert.Equal(t, []got{{1, f.mails[0].text}, {5, f.mails[4].text}}, all)

	dials := f.dials
	f.lock(func() { f.refuse["SEARCH"] = "BAD no such key" })
	_, err = searched(ctx, c, "INBOX", reference)
	checkReason(t, err, imapclient.ReasonRefused)
	f.lock(func() { delete(f.refuse, "SEARCH"); f.refuse["EXAMINE"] = "NO [NONEXISTENT] no such folder" })
	_, err = searched(ctx, c, "Elsewhere", reference)
	checkReason(t, err, imapclient.ReasonFolder)
	_, err = searched(ctx, c, "", reference)
	checkReason(t, err, imapclient.ReasonFolder)
	assert.Equal(t, dials, f.dials, "a refusal does not end the connection")
	c.Close()
}

// TestSearchTogether searches for many Message-IDs, on servers that accept lines of
// different lengths.
func TestSearchTogether(t *testing.T) {
	var texts, ids []string
	for i := range 150 {
		id := fmt.Sprintf("<%03d.%s@pec.example>", i, strings.Repeat("x", 60))
		text := "X-Riferimento-Message-ID: " + id + "\r\n" + notice
		if texts = append(texts, text); i%50 == 0 {
			texts = append(texts, text)
		}
		ids = append(ids, id)
	}
	ids = append(ids, ids[3], "<unknown@pec.example>")
	for name, c := range map[string]struct {
		longest  int
		overlong string
		tries    int // at most, until a Search succeeds
		most     int // of SEARCH commands
	}{
		"as RFC 7162 asks":          {longest: 8000, tries: 1, most: 5},
		"1000 octets, and BAD":      {longest: 1000, overlong: "BAD line too long", tries: 1, most: 45},
		"1000 octets, and NO":       {longest: 1000, overlong: "NO [LIMIT] too many", tries: 1, most: 45},
		"1000 octets, and hangs up": {longest: 1000, tries: 5, most: 45},
		"one at a time":             {longest: 200, overlong: "BAD no OR", tries: 1, most: 162},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, texts...)
			f.longest, f.overlong = c.longest, c.overlong
			client := f.open(t, nil)
			var all []got
			var err error
			tries := 0
			for all, err = searchedFor(t.Context(), client, "INBOX", ids); err != nil; all, err = searchedFor(t.Context(), client, "INBOX", ids) {
				checkReason(t, err, imapclient.ReasonNetwork)
				if tries++; tries == 10 {
					break
				}
			}
			require.NoError(t, err)
			require.Less(t, tries, c.tries)
			require.Len(t, all, len(texts), "each once")
			for i, text := range texts {
				require.Equal(t, got{uint32(i + 1), text}, all[i])
			}
			require.LessOrEqual(t, len(f.heard("UID SEARCH")), c.most)
			for _, line := range f.heard("UID SEARCH") {
				require.Less(t, len(line), 8000)
			}
		})
	}
	f := newFake(t, three...)
	_, err := searchedFor(t.Context(), f.open(t, nil), "INBOX", nil)
	require.NoError(t, err)
	_, err = searchedFor(t.Context(), f.open(t, nil), "INBOX", []string{reference, ""})
	checkReason(t, err, imapclient.ReasonArgument)
	require.Zero(t, f.dials)
}

// TestSearchInjection searches for Message-IDs that would change the command.
func TestSearchInjection(t *testing.T) {
	f := newFake(t, three...)
	c := f.open(t, nil)
	s := f.sent(t, nil)
	for _, id := range []string{
		"", " ", "<a@b>\r\nT1 DELETE INBOX", "<a@b>\n", "<a@b>\r", "<a\x00@b>", "<a b@c>", "<à@b>", "<a\xff@b>", "<a\x7f@b>", "<\t>",
		"<" + strings.Repeat("a", 398) + "@>",
	} {
		_, err := searched(context.Background(), c, "INBOX", id)
		checkReason(t, err, imapclient.ReasonArgument)
		checkReason(t, s.Save(context.Background(), id, 1, strings.NewReader("x")), imapclient.ReasonArgument)
	}
	assert.Zero(t, f.dials, "refused before a connection is made")
	_, err := searched(context.Background(), c, "INBOX", `<"a\b"@c>`)
	require.NoError(t, err)
	assert.Equal(t, []string{`UID SEARCH HEADER "X-Riferimento-Message-ID" "<\"a\\b\"@c>"`}, f.heard("UID SEARCH"))
}
