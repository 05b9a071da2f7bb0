package smtpclient_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// strain is a provider reached over a faulty line, and the messages that were submitted
// to it.
type strain struct {
	network  *pectest.Network
	provider *pectest.Provider
	account  pectest.Account

	mu       sync.Mutex
	messages int
	outcomes map[string][]pec.OutcomeKind // by Message-ID
}

// way is how the connection under test is made.
type way struct {
	name     string
	startTLS bool
	kept     bool // damage strikes while the second message is submitted
}

func (s *strain) client(t *testing.T, addr string, startTLS bool, timeout time.Duration) *smtpclient.Client {
	c, err := smtpclient.New(addr, pec.Password(s.account.Login, s.account.Password), &smtpclient.Options{
		TLS: trusttest.TLS(s.network), StartTLS: startTLS, Timeout: timeout, SubmitTimeout: timeout,
	})
	assert.NoError(t, err)
	return c
}

func (s *strain) addr(startTLS bool) string {
	if startTLS {
		return s.provider.SMTPStartTLSAddr()
	}
	return s.provider.SMTPAddr()
}

// offer submits one more message, and submits it again with patient if the outcome is
// temporary, as a caller may.
func (s *strain) offer(t *testing.T, c, patient *smtpclient.Client) pec.OutcomeKind {
	s.mu.Lock()
	s.messages++
	id := fmt.Sprintf("<%d@pec.example>", s.messages)
	s.mu.Unlock()
	text := "From: " + s.account.Address + "\r\nTo: " + recipients[0] + "\r\nMessage-ID: " + id + "\r\nSubject: prova\r\n\r\n" + strings.Repeat(".testo\r\n", 20)
	submit := func(c *smtpclient.Client) pec.OutcomeKind {
		begin := time.Now()
		o := c.Submit(t.Context(), pec.Submission{From: s.account.Address, To: recipients[:1], Size: int64(len(text)), Body: strings.NewReader(text)})
		assert.Less(t, time.Since(begin), 10*time.Second, "hangs")
		s.mu.Lock()
		defer s.mu.Unlock()
		s.outcomes[id] = append(s.outcomes[id], o.Kind)
		return o.Kind
	}
	kind := submit(c)
	if kind == pec.OutcomeTemporary && patient != nil {
		submit(patient)
	}
	return kind
}

// TestCut damages the stream, beneath TLS, at every command, at every reply and at bytes
// between, in both directions. The outcome must always be true.
func TestCut(t *testing.T) {
	testenv.NoLeak(t)
	const timeout = 400 * time.Millisecond
	s := &strain{outcomes: make(map[string][]pec.OutcomeKind)}
	s.network = pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{{
		Domain: "pec.example", SaveSent: true, Accounts: []pectest.Account{{Address: sender, Password: secret}},
	}}})
	s.provider, s.account = s.network.Providers()[0], s.network.Accounts()[0]
	patient := newClient(t, s.provider.SMTPAddr(), pec.Password(sender, secret),
		&smtpclient.Options{TLS: trusttest.TLS(s.network)})

	cases, struck := 0, 0
	kinds := make(map[pec.OutcomeKind]int)
	var mu sync.Mutex
	try := func(w way, d damage) {
		p := newProxy(t, s.addr(w.startTLS), nil)
		c := s.client(t, p.addr, w.startTLS, timeout)
		if w.kept {
			s.offer(t, c, patient)
		}
		p.arm(d)
		kind := s.offer(t, c, patient)
		assert.NoError(t, c.Close())
		mu.Lock()
		defer mu.Unlock()
		cases++
		if hit, _, _ := p.state(); hit {
			struck++
			kinds[kind]++
		}
	}

	ways := []way{{name: "TLS"}, {name: "kept", kept: true}, {name: "STARTTLS", startTLS: true}}
	work := make(chan func())
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	for _, w := range ways {
		for direction, places := range s.places(t, w) {
			for _, at := range places {
				for _, kind := range []string{cut, stall, corrupt} {
					work <- func() { try(w, damage{kind, direction, at}) }
				}
			}
		}
	}
	close(work)
	workers.Wait()
	require.NoError(t, patient.Close())

	// The provider receives nothing more from here on.
	require.NoError(t, s.network.Close())
	all, err := s.provider.Messages(sender, pectest.SentFolder)
	require.NoError(t, err)
	copies := make(map[string]int)
	for _, raw := range all {
		_, rest, _ := bytes.Cut(raw, []byte("Message-ID: "))
		id, _, _ := bytes.Cut(rest, []byte("\r\n"))
		copies[string(id)]++
	}
	for id, outcomes := range s.outcomes {
		submitted, uncertain := 0, 0
		for _, kind := range outcomes {
			switch kind {
			case pec.OutcomeSubmitted:
				submitted++
			case pec.OutcomeUncertain:
				uncertain++
			}
		}
		assert.GreaterOrEqual(t, copies[id], submitted, "%s %v", id, outcomes)
		assert.LessOrEqual(t, copies[id], submitted+uncertain, "%s %v", id, outcomes)
		assert.LessOrEqual(t, copies[id], 1, "%s %v", id, outcomes)
	}
	t.Logf("%d cases, %d struck: %v; %d messages, %d at the provider", cases, struck, kinds, len(s.outcomes), len(all))
	assert.Greater(t, struck, 300)
	for _, kind := range []pec.OutcomeKind{pec.OutcomeSubmitted, pec.OutcomeTemporary, pec.OutcomeUncertain} {
		assert.Positive(t, kinds[kind], "%v", kind)
	}
	assert.Empty(t, testenv.Leaked())
}

// places submits once without damage and returns, for each direction, the bytes at
// which damage is to strike.
func (s *strain) places(t *testing.T, w way) (places [2][]int) {
	p := newProxy(t, s.addr(w.startTLS), nil)
	c := s.client(t, p.addr, w.startTLS, time.Minute)
	var from [2]int
	if w.kept {
		require.Equal(t, pec.OutcomeSubmitted, s.offer(t, c, nil))
		_, from, _ = p.state()
	}
	require.Equal(t, pec.OutcomeSubmitted, s.offer(t, c, nil))
	require.NoError(t, c.Close())
	require.Equal(t, 1, p.connections())
	_, passed, ends := p.state()
	for direction := range places {
		for _, end := range ends[direction] {
			// The last byte of a piece, the first of the next, and one inside of it.
			places[direction] = append(places[direction], end-1, end, end+9)
		}
		for at := from[direction] + 20; at < passed[direction]; at += 150 {
			places[direction] = append(places[direction], at)
		}
		slices.Sort(places[direction])
		places[direction] = slices.Compact(places[direction])
		for i := range places[direction] {
			places[direction][i] -= from[direction]
		}
		places[direction] = slices.DeleteFunc(places[direction], func(at int) bool {
			return at < 0 || at >= passed[direction]-from[direction]
		})
	}
	return places
}
