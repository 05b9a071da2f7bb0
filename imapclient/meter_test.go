package imapclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
)

const (
	vast   = 300 << 20
	memory = 256 << 20 // the most that an attack may use
)

// repeat writes a text again and again, total bytes in all.
func repeat(text string, total int) func(io.Writer) {
	block := bytes.Repeat([]byte(text), max(1, 1<<16/len(text)))
	return func(w io.Writer) {
		for sent := 0; sent < total; sent += len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
}

// chain writes a text, then calls next.
func chain(text string, next func(io.Writer)) func(io.Writer) {
	return func(w io.Writer) {
		_, _ = io.WriteString(w, text)
		next(w)
	}
}

// numbered writes words that all differ, total bytes in all.
func numbered(format string, total int) func(io.Writer) {
	return func(w io.Writer) {
		for i, sent := 0, 0; sent < total; i++ {
			n, err := fmt.Fprintf(w, format, i)
			if sent += n; err != nil {
				return
			}
		}
	}
}

// TestFlood has a server that sends far more than any answer needs.
func TestFlood(t *testing.T) {
	const four = "{4294967296}\r\n"
	cases := []struct {
		name, stage string
		spew        func(io.Writer)
		reason      imapclient.Reason
	}{
		{"endless greeting", "greeting", chain("* OK ", repeat("A", vast)), imapclient.ReasonProtocol},
		{"endless lines before the login", "CAPABILITY 1", repeat("* OK still here\r\n", vast), imapclient.ReasonProtocol},
		{"endless capabilities", "CAPABILITY 1", chain("* CAPABILITY", numbered(" %x", vast)), imapclient.ReasonProtocol},
		{"endless reply to the login", "AUTHENTICATE", chain("+ ", repeat("A", vast)), imapclient.ReasonProtocol},
		{"endless reply to EXAMINE", "EXAMINE", repeat("* 1 EXISTS\r\n", vast), imapclient.ReasonProtocol},
		{"endless flags", "EXAMINE", chain("* FLAGS (", numbered("\\F%x ", vast)), imapclient.ReasonProtocol},
		{"endless line", "SEARCH", chain("* OK ", repeat("A", vast)), imapclient.ReasonProtocol},
		{"endless capabilities later", "SEARCH", chain("* CAPABILITY", numbered(" %x", vast)), imapclient.ReasonProtocol},
		{"endless numbers", "SEARCH", chain("* SEARCH", numbered(" %d1", vast)), imapclient.ReasonProtocol},
		{"literal in a name", "SEARCH", chain(`* LIST () "/" `+four, repeat("A", vast)), imapclient.ReasonProtocol},
		{"literal as a header", "FETCH head", chain("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] "+four, repeat("A", vast)), ""}, // asked for again
		{"quoted header", "FETCH head", chain(`* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] "`, repeat("A", vast)), imapclient.ReasonProtocol},
		{"header of another message", "FETCH head", chain("* 9 FETCH (UID 9 BODY[HEADER] "+four, repeat("A", vast)), imapclient.ReasonProtocol},
		{"literal as a body", "FETCH body", chain("* 1 FETCH (UID 1 BODY[] "+four, repeat("A", vast)), imapclient.ReasonTooLarge},
		{"literal as a later body", "FETCH body", chain("* 3 FETCH (UID 3 BODY[] "+four, repeat("A", vast)), imapclient.ReasonProtocol},
		{"body that looks like one", "FETCH body", chain("* OK BODY[] "+four+"* OK ", repeat("A", vast)), imapclient.ReasonProtocol},
		{"body of another message", "FETCH body", chain("* 9 FETCH (UID 9 BODY[] "+four, repeat("A", vast)), imapclient.ReasonProtocol},
		{"nested structure", "FETCH body", chain("* 1 FETCH (BODYSTRUCTURE ", repeat("(", vast)), ""}, // an answer that makes no sense is asked for again
		{"nested threads", "SEARCH", chain("* THREAD ", repeat("(", vast)), imapclient.ReasonProtocol},
		{"endless news", "idling", repeat("* 1 FETCH (FLAGS (\\Seen))\r\n", vast), imapclient.ReasonProtocol},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t, three...)
			client := f.open(t, &imapclient.Options{Timeout: 20 * time.Second})
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if c.stage == "idling" {
				_, _, err := collect(ctx, client, inbox)
				require.NoError(t, err)
			}
			f.at, f.fault, f.spew = c.stage, "spew", c.spew
			stop, begin := peak(), time.Now()
			var err error
			if c.stage == "idling" {
				err = client.Wait(ctx)
			} else {
				_, _, err = collect(ctx, client, inbox)
			}
			used := stop()
			t.Logf("%d MiB, %v: %v", used>>20, time.Since(begin).Round(time.Millisecond), err)
			if c.reason == "" {
				require.NoError(t, err)
			} else {
				checkReason(t, err, c.reason)
			}
			assert.Less(t, used, uint64(memory))
			client.Close()
		})
	}
	require.Len(t, cases, 20)
}

// TestFloodBetweenCalls has a server that goes on sending after its answer.
func TestFloodBetweenCalls(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	ended := make(chan int64, 1)
	f.at, f.fault = "SEARCH 2", "spew"
	f.spew = func(w io.Writer) {
		_, _ = io.WriteString(w, "* SEARCH\r\n"+f.tag+" OK done\r\n")
		var sent atomic.Int64
		repeat("* OK still here\r\n", 1<<30)(writerFunc(func(p []byte) (int, error) {
			n, err := w.Write(p)
			sent.Add(int64(n))
			return n, err
		}))
		ended <- sent.Load()
	}
	c := f.open(t, nil)
	_, items, err := collect(context.Background(), c, inbox)
	require.NoError(t, err)
	_, _, err = collect(context.Background(), c, items[2].Cursor)
	require.NoError(t, err)
	select {
	case sent := <-ended:
		assert.Less(t, sent, int64(40<<20))
	case <-time.After(20 * time.Second):
		t.Fatal("the flood is still read")
	}
	all, _, err := collect(context.Background(), c, inbox)
	require.NoError(t, err)
	assert.Len(t, all, 3)
	c.Close()
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

// TestTrickle has a server that is never silent for long and never finishes.
func TestTrickle(t *testing.T) {
	testenv.NoLeak(t)
	line := "* OK " + strings.Repeat("still here ", 50) + "\r\n"
	for _, c := range []struct{ stage, begin, more string }{
		{"greeting", "", line},
		{"CAPABILITY 1", "", line},
		{"SEARCH", "", line},
		{"FETCH head", "", line},
		{"FETCH body", "* 1 FETCH (UID 1 BODY[] {1000000}\r\n", "still "},
	} {
		stage := c.stage
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, three...)
			f.at, f.fault = stage, "spew"
			f.spew = func(w io.Writer) {
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				_, err := io.WriteString(w, c.begin)
				for err == nil {
					<-tick.C
					_, err = io.WriteString(w, c.more)
				}
			}
			client := f.open(t, &imapclient.Options{Timeout: 300 * time.Millisecond})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, _, err := collect(ctx, client, inbox)
			checkReason(t, err, imapclient.ReasonTimeout)
			client.Close()
		})
	}
}
