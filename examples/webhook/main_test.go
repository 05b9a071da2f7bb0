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
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// taker is a provider that takes every message.
type taker struct{ pec.Mailbox }

func (taker) Submit(context.Context, pec.Submission) pec.Outcome {
	return pec.Outcome{Kind: pec.OutcomeSubmitted}
}

func (taker) Folders() []string { return []string{"INBOX"} }

// receiver checks what is posted, and refuses the first post of each change.
type receiver struct {
	t       *testing.T
	secret  string
	refused map[pec.Position]bool
	taken   []Change
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	require.NoError(r.t, err)
	at, signature, found := strings.Cut(strings.TrimPrefix(request.Header.Get("Pec-Signature"), "t="), ",v1=")
	require.True(r.t, found)
	mac := hmac.New(sha256.New, []byte(r.secret))
	fmt.Fprintf(mac, "%s.%s", at, body)
	require.Equal(r.t, hex.EncodeToString(mac.Sum(nil)), signature)
	var c Change
	require.NoError(r.t, json.Unmarshal(body, &c))
	if c.Fact == "Intent" && !r.refused[c.Position] {
		r.refused[c.Position] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.taken = append(r.taken, c)
}

func TestEveryChangeIsPostedOnceItIsTaken(t *testing.T) {
	n := pectest.Start(t, nil)
	folder := t.TempDir()
	file, position := filepath.Join(folder, "pec.db"), filepath.Join(folder, "position")
	store, closer, err := account.OpenStore(t.Context(), file)
	require.NoError(t, err)
	defer closer.Close()
	v, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(n.SigningCA())}, nil)
	require.NoError(t, err)
	client, err := pec.New("mario@alfa-pec.example", taker{}, taker{}, v, &pec.Options{Store: store})
	require.NoError(t, err)
	send := func() string {
		id, err := client.Send(t.Context(), pec.Message{To: []string{"luigi@beta-pec.example"}})
		require.NoError(t, err)
		return id
	}
	r := &receiver{t: t, secret: "s3cret", refused: map[pec.Position]bool{}}
	server := httptest.NewServer(r)
	defer server.Close()
	t.Setenv("HOOK", r.secret)
	var log bytes.Buffer
	args := []string{"-store", file, "-url", server.URL, "-secret-env", "HOOK", "-position", position, "-once"}

	first := send()
	require.Zero(t, run(t.Context(), args, &log))
	require.Len(t, r.taken, 3)
	require.Contains(t, log.String(), "503")
	for i, fact := range []string{"Intent", "Attempt", "AttemptOutcome"} {
		require.Equal(t, fact, r.taken[i].Fact)
		require.Equal(t, first, r.taken[i].MessageID)
	}
	require.Equal(t, "submitted", r.taken[2].Recipients[0].State)

	second := send()
	require.Zero(t, run(t.Context(), args, &log))
	require.Len(t, r.taken, 6, "it goes on where it was")
	require.Equal(t, second, r.taken[5].MessageID)
	require.Equal(t, 2, run(t.Context(), args[:4], &log))
}
