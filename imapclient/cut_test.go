package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

// cut is damage to one byte of the ciphertext of a connection.
type cut struct {
	fault string // cut, stall or corrupt; "" for none
	up    bool   // in the bytes from the client
	at    int
}

// line is a network between a client and a server. The cut strikes the first connection.
type line struct {
	addr   string
	cut    cut
	conns  atomic.Int32
	writes [2][]int // where each write of the first connection began: down, up
	ends   [2]int   // how many bytes it carried: down, up
}

func newLine(t *testing.T, server string, c cut) *line {
	l := &line{cut: c}
	l.addr = testenv.Listen(t, nil, func(client net.Conn) {
		first := l.conns.Add(1) == 1
		conn, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer conn.Close()
		var group sync.WaitGroup
		group.Go(func() { l.pump(conn, client, true, first) })
		group.Go(func() { l.pump(client, conn, false, first) })
		group.Wait()
	})
	return l
}

// pump copies bytes until one side ends, then ends the other.
func (l *line) pump(to, from net.Conn, up, first bool) {
	defer to.Close()
	defer from.Close()
	way := 0
	if up {
		way = 1
	}
	struck := !first || l.cut.fault == "" || up != l.cut.up
	p := make([]byte, 32<<10)
	for pos := 0; ; {
		n, err := from.Read(p)
		if err != nil {
			return
		}
		if first && l.cut.fault == "" {
			l.writes[way] = append(l.writes[way], pos)
			l.ends[way] = pos + n
		}
		if at := l.cut.at - pos; !struck && at < n {
			struck = true
			switch l.cut.fault {
			case "corrupt":
				p[at] ^= 1
			case "cut":
				_, _ = to.Write(p[:at])
				return
			case "stall":
				_, _ = to.Write(p[:at])
				_, _ = io.Copy(io.Discard, from) // until a side gives up
				return
			}
		}
		pos += n
		if _, err := to.Write(p[:n]); err != nil {
			return
		}
	}
}

// cuts returns the places to strike at: the beginning of each write, the byte after it,
// and some samples in between.
func (l *line) cuts(samples int) (all []cut) {
	for way, writes := range l.writes {
		places := map[int]bool{}
		for _, at := range writes {
			places[at], places[at+1] = true, true
		}
		for i := range samples {
			places[l.ends[way]*i/samples] = true
		}
		for at := range places {
			for _, fault := range []string{"cut", "stall", "corrupt"} {
				all = append(all, cut{fault, way == 1, at})
			}
		}
	}
	return all
}

// every runs one case for each cut, several at a time.
func every(cuts []cut, run func(i int, c cut)) {
	var group sync.WaitGroup
	work := make(chan int)
	for range 16 {
		group.Go(func() {
			for i := range work {
				run(i, cuts[i])
			}
		})
	}
	for i := range cuts {
		work <- i
	}
	close(work)
	group.Wait()
}

const cutTimeout = 500 * time.Millisecond

func TestCut(t *testing.T) {
	testenv.NoLeak(t)
	t.Run("Fetch", testCutFetch)
	t.Run("Save", testCutSave)
	t.Run("Wait", testCutWait)
}

// testCutFetch strikes at every command and at bytes in between. A caller that goes on
// from the last complete message must get every message unchanged.
func testCutFetch(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	want := map[uint32]string{}
	for i := range 14 {
		m := f.add(fmt.Sprintf("%snumber %d\r\n%s", notice, i, strings.Repeat("line of text\r\n", i*i*10)))
		want[m.uid] = m.text
		if i%4 == 1 {
			m.text, want[m.uid] = plain, "-"
		}
	}
	clean := newLine(t, f.addr, cut{})
	check := func(l *line, c cut) (calls, again int) {
		client, err := imapclient.New(l.addr, pec.Password(user, secret), &imapclient.Options{TLS: f.client, Timeout: cutTimeout})
		require.NoError(t, err)
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		seen, cursor := map[uint32]bool{}, inbox
		for {
			begin := time.Now()
			calls++
			var failed error
			for item, err := range client.Fetch(ctx, cursor) {
				if err != nil {
					failed = err
					break
				}
				text := "-"
				if item.Body != nil {
					b, err := io.ReadAll(item.Body)
					if err != nil {
						continue
					}
					text = string(b)
				}
				assert.Equal(t, want[item.Cursor.UID], text, "%+v", c)
				assert.Greater(t, item.Cursor.UID, cursor.UID, "%+v", c)
				if seen[item.Cursor.UID] {
					again++
				}
				seen[item.Cursor.UID], cursor = true, item.Cursor
			}
			assert.Less(t, time.Since(begin), 20*time.Second, "%+v", c)
			if failed == nil {
				assert.Len(t, seen, len(want), "%+v", c)
				return calls, again
			}
			var one *pec.MessageError
			var refused *pec.LoginError
			if errors.As(failed, &one) || errors.As(failed, &refused) || ctx.Err() != nil || calls > 9 {
				assert.NoError(t, failed, "%+v", c)
				return calls, again
			}
		}
	}
	calls, _ := check(clean, cut{})
	require.Equal(t, 1, calls)

	var struck, twice, repeated atomic.Int32
	cuts := clean.cuts(40)
	every(cuts, func(i int, c cut) {
		l := newLine(t, f.addr, c)
		calls, again := check(l, c)
		if l.conns.Load() > 1 {
			struck.Add(1)
		}
		if calls > 1 {
			twice.Add(1)
		}
		repeated.Add(int32(again))
	})
	t.Logf("%d cases, %d ended the connection, %d ended the call, %d messages came again", len(cuts), struck.Load(), twice.Load(), repeated.Load())
	assert.Greater(t, len(cuts), 200)
	assert.Greater(t, int(struck.Load()), len(cuts)/2)
}

// testCutSave strikes while a copy is saved. A caller that calls Save until it succeeds
// must leave exactly one copy.
func testCutSave(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.list = "* LIST (\\Sent) \"/\" Sent\r\n"
	check := func(l *line, c cut, messageID string) (calls int) {
		s, err := imapclient.NewSentFolder(l.addr, pec.Password(user, secret), &imapclient.SentOptions{TLS: f.client, Timeout: cutTimeout})
		require.NoError(t, err)
		defer s.Close()
		text := "Message-ID: " + messageID + "\r\n\r\n" + strings.Repeat("line of text\r\n", 3000)
		for calls = 1; calls < 10; calls++ {
			if err = s.Save(context.Background(), messageID, int64(len(text)), strings.NewReader(text)); err == nil {
				break
			}
		}
		assert.NoError(t, err, "%+v", c)
		copies := 0
		f.lock(func() {
			for _, m := range f.mails {
				if strings.HasPrefix(m.text, "Message-ID: "+messageID+"\r\n") {
					copies++
					assert.Equal(t, text, m.text, "%+v", c)
				}
			}
		})
		assert.Equal(t, 1, copies, "%+v", c)
		return calls
	}
	clean := newLine(t, f.addr, cut{})
	require.Equal(t, 1, check(clean, cut{}, "<clean@pec.example>"))
	var twice atomic.Int32
	cuts := clean.cuts(15)
	every(cuts, func(i int, c cut) {
		if check(newLine(t, f.addr, c), c, fmt.Sprintf("<%d@pec.example>", i)) > 1 {
			twice.Add(1)
		}
	})
	t.Logf("%d cases, %d needed more than one call", len(cuts), twice.Load())
	assert.Greater(t, int(twice.Load()), len(cuts)/2)
}

// testCutWait strikes while nothing happens. Every Wait must end, and a later Fetch must
// return all messages.
func testCutWait(t *testing.T) {
	t.Parallel()
	f := newFake(t, three...)
	check := func(l *line, c cut) {
		client, err := imapclient.New(l.addr, pec.Password(user, secret), &imapclient.Options{TLS: f.client, Timeout: cutTimeout})
		require.NoError(t, err)
		defer client.Close()
		for range 3 { // none of them may hang or panic
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			_ = client.Wait(ctx)
			cancel()
			ctx, cancel = context.WithTimeout(context.Background(), 20*time.Second)
			_, _, _ = collect(ctx, client, inbox)
			assert.NoError(t, ctx.Err(), "%+v", c)
			cancel()
		}
		all, _, err := collect(context.Background(), client, inbox)
		for range 5 { // the cut may strike only now
			if err != nil {
				all, _, err = collect(context.Background(), client, inbox)
			}
		}
		assert.NoError(t, err, "%+v", c)
		assert.Len(t, all, 3, "%+v", c)
	}
	clean := newLine(t, f.addr, cut{})
	check(clean, cut{})
	cuts := clean.cuts(10)
	every(cuts, func(i int, c cut) { check(newLine(t, f.addr, c), c) })
	t.Logf("%d cases", len(cuts))
}
