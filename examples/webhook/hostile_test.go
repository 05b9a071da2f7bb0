package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/internal/growth"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// fill returns a hook for a new store with many waiting changes of one send.
func fill(tb testing.TB, url string, client *http.Client, changes int) *hook {
	store, db, err := account.OpenStore(tb.Context(), filepath.Join(tb.TempDir(), "pec.db"))
	require.NoError(tb, err)
	tb.Cleanup(func() { db.Close() })
	box, err := openOutbox(tb.Context(), db, "webhook")
	require.NoError(tb, err)
	var all []Change
	for i := range changes {
		all = append(all, Change{Mailbox: mario, MessageID: "m1@alfa-pec.example", Key: fmt.Sprint(i)})
	}
	require.NoError(tb, box.add(tb.Context(), mario, all))
	return &hook{url: url, secret: []byte(secret), client: client, outbox: box, store: store, tries: 3, least: time.Millisecond, log: io.Discard}
}

// Anybody who knows a Message-ID can write many messages about that send, and each makes a
// change.
func TestManyChangesOfOneSend(t *testing.T) {
	growth.Run(t, []growth.Case{{Name: "changes", N: 500, CPU: true, Prepare: func(tb testing.TB, size int) growth.Call {
		var posted []string
		h := fill(tb, "http://receiver.example", &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			_, key, _ := strings.Cut(string(body), `"key":"`)
			key, _, _ = strings.Cut(key, `"`)
			posted = append(posted, key)
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, err
		})}, size)
		return func() int64 {
			require.NoError(tb, h.round(context.Background()))
			require.Len(tb, posted, size)
			for i, key := range posted {
				require.Equal(tb, fmt.Sprint(i), key)
			}
			return 0
		}
	}}})
}

// A receiver may answer with a very long text.
func TestLongAnswersOfAReceiver(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, answer := range map[string]string{
		"status":           "HTTP/1.1 500 " + long + "\r\nContent-Length: 0\r\n\r\n",
		"shorter status":   "HTTP/1.1 500 " + long[:20_000] + "\r\nContent-Length: 0\r\n\r\n",
		"no HTTP":          long + "\r\n\r\n",
		"shorter, no HTTP": long[:20_000] + "\r\n\r\n",
		"no field":         "HTTP/1.1 200 OK\r\n" + long[:20_000] + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						if _, err := conn.Read(make([]byte, 4096)); err == nil {
							_, _ = io.WriteString(conn, answer)
						}
						_, _ = io.Copy(io.Discard, conn)
					}()
				}
			}()
			h := fill(t, "http://"+listener.Addr().String(), newClient(), 1)
			defer h.client.CloseIdleConnections()
			var told strings.Builder
			h.log = &told
			due, err := h.outbox.due(t.Context(), time.Now())
			require.NoError(t, err)
			taken, err := h.try(t.Context(), due[0])
			require.NoError(t, err)
			require.False(t, taken)
			due, err = h.outbox.due(t.Context(), time.Now().Add(time.Hour))
			require.NoError(t, err)
			require.NotEmpty(t, due[0].Error)
			require.Less(t, len(due[0].Error), 1000)
			require.Less(t, told.Len(), 2000)
		})
	}
}
