package smtpclient_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// roundTrip is how far away the server of BenchmarkWindow is.
const roundTrip = 50 * time.Millisecond

// BenchmarkWindow measures the part of an attempt in which a crash leaves it uncertain:
// from the first Read of the body, which claims the attempt, to the reply to the final
// dot. Connection, TLS, login and addresses come before it. The server is 50 ms away.
func BenchmarkWindow(b *testing.B) {
	addr, clientTLS := library(b, &backend{})
	far := distant(b, addr)
	for name, idle := range map[string]time.Duration{"new connection": -1, "kept connection": 0} {
		b.Run(name, func(b *testing.B) {
			c, err := smtpclient.New(far, pec.Password(sender, secret), &smtpclient.Options{TLS: clientTLS, IdleTimeout: idle})
			require.NoError(b, err)
			defer c.Close()
			var whole, window time.Duration
			for b.Loop() {
				s := submission(message())
				text, asked := s.Body, time.Time{}
				s.Body = readerFunc(func(p []byte) (int, error) {
					if asked.IsZero() {
						asked = time.Now()
					}
					return text.Read(p)
				})
				begun := time.Now()
				o := c.Submit(context.Background(), s)
				ended := time.Now()
				require.Equal(b, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
				whole, window = whole+ended.Sub(begun), window+ended.Sub(asked)
			}
			b.ReportMetric(float64(window.Microseconds())/1000/float64(b.N), "window-ms")
			b.ReportMetric(float64(window)/float64(whole), "window/attempt")
			b.ReportMetric(float64(window)/float64(roundTrip)/float64(b.N), "round-trips")
		})
	}
}

// distant returns an address from which target is half a roundTrip away in each
// direction.
func distant(b *testing.B, target string) string {
	return testenv.Listen(b, nil, func(client net.Conn) {
		server, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer server.Close()
		var both sync.WaitGroup
		both.Go(func() { late(server, client) })
		both.Go(func() { late(client, server) })
		both.Wait()
	})
}

// late copies src to dst, each piece half a roundTrip later.
func late(dst, src net.Conn) {
	type piece struct {
		due  time.Time
		text []byte
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for {
			buf := make([]byte, 32<<10)
			n, err := src.Read(buf)
			if err != nil {
				return
			}
			pieces <- piece{time.Now().Add(roundTrip / 2), buf[:n]}
		}
	}()
	for p := range pieces {
		<-time.After(time.Until(p.due))
		if _, err := dst.Write(p.text); err != nil {
			break
		}
	}
	dst.Close()
	src.Close()
}
