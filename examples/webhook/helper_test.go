package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// asProgram is the environment variable that makes the test binary run as the program, for
// tests that kill it.
const asProgram = "GOPEC_TEST_AS_WEBHOOK"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

const (
	secret = "s3cret"
	mario  = "mario@alfa-pec.example"
	anna   = "anna@alfa-pec.example"
)

// all are the facts of a send.
var all = []string{"Intent", "Attempt", "AttemptOutcome"}

// taker is a provider that takes every message.
type taker struct{ pec.Mailbox }

func (taker) Submit(context.Context, pec.Submission) pec.Outcome {
	return pec.Outcome{Kind: pec.OutcomeSubmitted}
}

func (taker) Folders() []string { return []string{"INBOX"} }

// site is a store with sends in it, and a receiver.
type site struct {
	t    *testing.T
	file string

	mu     sync.Mutex
	answer func(Change) int // the HTTP status for a change; nil takes everything, 0 gives no answer
	taken  []Change
	seen   int // how many posts arrived
	server *httptest.Server
}

func newSite(t *testing.T) *site {
	s := &site{t: t, file: filepath.Join(t.TempDir(), "pec.db")}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	t.Setenv("WEBHOOK_SECRET", secret)
	return s
}

// send records a send, which makes three facts: Intent, Attempt and AttemptOutcome.
func (s *site) send(from string) string {
	s.t.Helper()
	store, db, err := account.OpenStore(s.t.Context(), s.file)
	require.NoError(s.t, err)
	defer db.Close()
	n := pectest.Start(s.t, nil)
	client, err := pec.New(from, taker{}, taker{}, trusttest.Verifier(s.t, n, nil), &pec.Options{Store: store})
	require.NoError(s.t, err)
	id, err := client.Send(s.t.Context(), pec.Message{To: []string{"luigi@beta-pec.example"}})
	require.NoError(s.t, err)
	return id
}

func (s *site) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the sender was killed
	}
	at, signature, found := strings.Cut(strings.TrimPrefix(request.Header.Get("Pec-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", at, body)
	var c Change
	if !found || hex.EncodeToString(mac.Sum(nil)) != signature || json.Unmarshal(body, &c) != nil {
		s.t.Errorf("not signed, or no change: %q", body)
		return
	}
	s.mu.Lock()
	s.seen++
	answer := http.StatusOK
	if s.answer != nil {
		answer = s.answer(c)
	}
	if answer == http.StatusOK {
		s.taken = append(s.taken, c)
	}
	s.mu.Unlock()
	switch {
	case answer == 0:
		panic(http.ErrAbortHandler) // it hangs up
	case answer/100 == 3:
		w.Header().Set("Location", s.server.URL+"/elsewhere")
		fallthrough
	default:
		w.WriteHeader(answer)
	}
}

// facts returns the kinds of the taken changes of a send, in order.
func (s *site) facts(id string) (facts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.taken {
		if c.MessageID == id {
			facts = append(facts, c.Fact)
		}
	}
	return facts
}

// answering sets how the receiver answers.
func (s *site) answering(answer func(Change) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// run runs the program.
func (s *site) run(args ...string) (exit int, stdout, stderr string) {
	var out, log bytes.Buffer
	exit = run(s.t.Context(), append([]string{"-store", s.file}, args...), &out, &log)
	return exit, out.String(), log.String()
}

// post does what the program does with -once, with short pauses.
func (s *site) post(tries int) (log string) {
	s.t.Helper()
	store, db, err := account.ReadStore(s.t.Context(), s.file)
	require.NoError(s.t, err)
	defer db.Close()
	box, err := openOutbox(s.t.Context(), db, "webhook")
	require.NoError(s.t, err)
	var told bytes.Buffer
	h := &hook{
		url: s.server.URL, secret: []byte(secret), client: newClient(), outbox: box, store: store,
		tries: tries, least: time.Millisecond, log: &told,
	}
	require.NoError(s.t, h.run(s.t.Context(), true))
	return told.String()
}
