package imapclient_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
)

// TestSuspects has a server that hangs up at some messages.
func TestSuspects(t *testing.T) {
	always := 1000
	cases := []struct {
		name       string
		spoil      func(*fake)
		unreadable []uint32
		fails      bool
		dials      int // at most
	}{
		{"once", func(f *fake) { f.mails[4].hang = 1 }, nil, false, 2},
		{"twice", func(f *fake) { f.mails[4].hang = 2 }, nil, false, 3},
		{"always", func(f *fake) { f.mails[4].hang = always }, []uint32{5}, false, 4},
		{"the first", func(f *fake) { f.mails[0].hang = always }, []uint32{1}, false, 4},
		{"the last", func(f *fake) { f.mails[8].hang = always }, []uint32{9}, false, 4},
		{"over the header", func(f *fake) { f.mails[4].deaf = always }, []uint32{5}, false, 4},
		{"nonsense", func(f *fake) { f.mails[4].broken = always }, []uint32{5}, false, 4},
		{"two neighbours", func(f *fake) { f.mails[4].hang, f.mails[5].hang = always, always }, []uint32{5, 6}, false, 10},
		{"over all", func(f *fake) {
			for i := range f.mails {
				f.mails[i].hang = always
			}
		}, nil, true, 8},
		{"the only one", func(f *fake) { f.mails = f.mails[:1]; f.mails[0].hang = always }, nil, true, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t)
			var want []got
			for i := range 9 {
				text := fmt.Sprintf("%snumber %d\r\n", notice, i)
				if i%3 == 1 {
					text = plain
				}
				if i == 4 || i == 5 {
					text = notice
				}
				f.add(text)
			}
			c.spoil(f)
			for _, m := range f.mails {
				g := got{m.uid, m.text}
				if m.text == plain {
					g.body = "-"
				}
				if m.hang+m.deaf+m.broken < always {
					want = append(want, g)
				}
			}
			client := f.open(t, nil)
			all, unreadable, err := collectReadable(context.Background(), client, inbox)
			assert.LessOrEqual(t, f.dials, c.dials)
			assert.Equal(t, c.unreadable, unreadable)
			if c.fails {
				checkReason(t, err, imapclient.ReasonNetwork)
				for _, g := range all {
					assert.Equal(t, "-", g.body)
				}
				return
			}
			require.NoError(t, err)
			assert.Equal(t, want, all)
			client.Close()
		})
	}
	require.Len(t, cases, 10)
}

func TestMaxMessage(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	f.mails[0].size = 1 << 20 // the text itself is smaller
	c := f.open(t, &imapclient.Options{Timeout: 10 * time.Second, MaxMessage: 1 << 20})
	all, _, err := collect(context.Background(), c, inbox)
	require.NoError(t, err, "as large as is allowed")
	assert.Len(t, all, 3)

	f.lock(func() { f.mails[0].size++; f.mails[1].size = 1 << 30 })
	all, unreadable, err := collectReadable(context.Background(), c, inbox)
	require.NoError(t, err)
	assert.Equal(t, []uint32{1}, unreadable)
	assert.Equal(t, []got{{2, "-"}, {3, three[2]}}, all, "what is not downloaded may have any size")
	assert.Equal(t, 1, f.dials, "the connection is still sound")
	for _, err := range c.Fetch(context.Background(), inbox) {
		checkReason(t, err, imapclient.ReasonTooLarge)
	}
	c.Close()
}
