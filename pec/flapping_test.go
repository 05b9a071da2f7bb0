package pec_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// flappingMailbox is a Mailbox over a connection that comes and goes. Its Wait returns
// when a message has arrived, and fails when the connection is cut.
type flappingMailbox struct {
	folders []string
	broken  map[string]error // folders that cannot be read
	raw     []byte           // the content of each message; nil for ordinary mail

	mu    sync.Mutex
	down  bool
	cut   chan struct{} // closed when the connection is cut
	news  chan struct{} // closed when a message arrives
	came  []time.Time   // when each message arrived
	read  []time.Time   // when each message was read
	calls []time.Time   // when the connection was used
}

func newFlappingMailbox(folders ...string) *flappingMailbox {
	return &flappingMailbox{folders: folders, broken: map[string]error{}, cut: make(chan struct{}), news: make(chan struct{})}
}

var errDown = errors.New("no connection")

// set cuts the connection or restores it.
func (l *flappingMailbox) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down = down; down {
		close(l.cut)
		l.cut = make(chan struct{})
	}
}

func (l *flappingMailbox) arrive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.came = append(l.came, time.Now())
	close(l.news)
	l.news = make(chan struct{})
}

func (l *flappingMailbox) use() error {
	l.calls = append(l.calls, time.Now())
	if l.down {
		return errDown
	}
	return nil
}

func (l *flappingMailbox) Folders() []string { return l.folders }

func (l *flappingMailbox) Fetch(_ context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		l.mu.Lock()
		err := cmp.Or(l.use(), l.broken[after.Folder])
		count := len(l.came)
		l.mu.Unlock()
		if err != nil {
			yield(pec.Item{}, err)
			return
		}
		if after.Folder != l.folders[0] {
			return
		}
		for i := int(after.UID); i < count; i++ {
			item := pec.Item{Cursor: pec.Cursor{Folder: after.Folder, UIDValidity: 1, UID: uint32(i + 1)}}
			if l.raw != nil {
				item.Body = bytes.NewReader(l.raw)
			}
			l.mu.Lock()
			if len(l.read) == i {
				l.read = append(l.read, time.Now())
			}
			l.mu.Unlock()
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (l *flappingMailbox) Wait(ctx context.Context) error {
	l.mu.Lock()
	err, cut, news := l.use(), l.cut, l.news
	unread := len(l.read) < len(l.came)
	l.mu.Unlock()
	if err != nil || unread {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-cut:
		return errDown
	case <-news:
		return nil
	}
}

func (l *flappingMailbox) Search(context.Context, string, []string) iter.Seq2[pec.Item, error] {
	return func(func(pec.Item, error) bool) {}
}

// watched runs Watch until ctx ends, and returns the number of troubles.
func watched(ctx context.Context, t *testing.T, n *pectest.Network, l pec.Mailbox, store pec.Store) (troubles int) {
	c := newClient(t, n, &ports{outcome: pec.OutcomeSubmitted}, l, &pec.Options{Store: store})
	for e := range c.Watch(ctx) {
		if e.Trouble != nil {
			troubles++
		}
	}
	return troubles
}

// One folder was renamed, the store has an entry of a later version, and the connection is
// cut every 45 seconds. INBOX is read promptly all the same. GOPEC_SCALE sets the minutes.
func TestFlappingServer(t *testing.T) {
	minutes := 32
	if s := os.Getenv("GOPEC_SCALE"); s != "" {
		var err error
		minutes, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := newFlappingMailbox("INBOX", "Ricevute")
		l.broken["Ricevute"] = errors.New("no such folder")
		store := pec.NewMemory()
		_, err := store.Append(t.Context(), me, pec.Entry{Key: "intent@later", Send: "later@desk", At: time.Now(), Data: []byte(`{"kind":"of a later version"}`)})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(minutes)*time.Minute)
		defer cancel()
		var group sync.WaitGroup
		defer group.Wait()
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				time.Sleep(5 * time.Second)
				if i%9 == 8 {
					l.set(true)
					l.set(false)
				}
				if i%3 == 1 {
					time.Sleep(time.Duration(i%7) * 300 * time.Millisecond)
					l.arrive()
				}
			}
		})
		troubles := watched(ctx, t, pectest.Start(t, &pectest.Options{InMemory: true}), l, store)
		var late []time.Duration
		for i, came := range l.came {
			read := time.Now()
			if i < len(l.read) {
				read = l.read[i]
			}
			late = append(late, read.Sub(came))
		}
		require.NotEmpty(t, late)
		slices.Sort(late)
		t.Logf("%d minutes: %d messages, late by %v in the middle and %v at most; %d troubles, %d uses of the connection",
			minutes, len(late), late[len(late)/2], late[len(late)-1], troubles, len(l.calls))
		require.LessOrEqual(t, late[len(late)-1], 3*time.Second)
		require.Less(t, len(l.calls), 40*minutes, "no busy loop")
	})
}

// Clients that saw the same outage do not all come back at the same moment.
func TestClientsComeBackApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, outage = 300, 20 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		var lines []*flappingMailbox
		var group sync.WaitGroup
		for range clients {
			l := newFlappingMailbox("INBOX")
			lines = append(lines, l)
			group.Go(func() { watched(ctx, t, n, l, pec.NewMemory()) })
		}
		time.Sleep(10 * time.Second)
		for _, l := range lines {
			l.set(true)
		}
		time.Sleep(outage)
		back := time.Now()
		for _, l := range lines {
			l.set(false)
		}
		group.Wait()
		busiest, first := map[time.Duration]int{}, []time.Duration{}
		for _, l := range lines {
			i := slices.IndexFunc(l.calls, func(at time.Time) bool { return !at.Before(back) })
			require.GreaterOrEqual(t, i, 0)
			after := l.calls[i].Sub(back)
			first = append(first, after)
			busiest[after/(250*time.Millisecond)]++
			require.Less(t, i, 40, "no busy loop")
		}
		slices.Sort(first)
		most := 0
		for _, n := range busiest {
			most = max(most, n)
		}
		t.Logf("%d clients came back between %v and %v after the outage, at most %d of them within 250 ms", clients, first[0], first[clients-1], most)
		require.Less(t, most, clients/5)
		require.LessOrEqual(t, first[clients-1], 32*time.Second, "the longest pause after an outage of that length")
	})
}
