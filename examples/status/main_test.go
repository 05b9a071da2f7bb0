package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// nowhere is a provider that takes every message and never confirms it.
type nowhere struct{ pec.Mailbox }

func (nowhere) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	_, _ = io.Copy(io.Discard, s.Body)
	return pec.Outcome{} // uncertain
}

func (nowhere) Folders() []string { return []string{"INBOX"} }

func TestStatus(t *testing.T) {
	n := pectest.Start(t, nil)
	file := filepath.Join(t.TempDir(), "pec.db")
	show := func(args ...string) (int, string) {
		var out, log bytes.Buffer
		exit := run(t.Context(), append([]string{"-store", file}, args...), &out, &log)
		return exit, out.String() + log.String()
	}
	exit, _ := show()
	require.Equal(t, 2, exit, "there is no such file")
	require.NoFileExists(t, file)

	store, closer, err := account.OpenStore(t.Context(), file)
	require.NoError(t, err)
	client, err := pec.New("mario@alfa-pec.example", nowhere{}, nowhere{}, trusttest.Verifier(t, n, nil), &pec.Options{Store: store})
	require.NoError(t, err)
	id, err := client.Send(t.Context(), pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Prova\u202e", Key: "k"})
	require.Error(t, err)
	require.NoError(t, closer.Close())

	exit, out := show("-json")
	require.Zero(t, exit)
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &object))
	require.Equal(t, id, object["messageID"])
	require.Equal(t, "uncertain", object["result"])
	require.Equal(t, "k", object["key"])
	for _, args := range [][]string{{"-uncertain"}, {"-open"}, {"-key", "k"}, nil} {
		exit, out = show(args...)
		require.Zero(t, exit)
		require.Contains(t, out, id, args)
		require.NotContains(t, out, "\u202e")
	}
	exit, out = show("-overdue")
	require.Zero(t, exit)
	require.Empty(t, out)
	exit, _ = show("-key", "other")
	require.Equal(t, 1, exit)
	exit, _ = show("-open", "-overdue")
	require.Equal(t, 2, exit)
}
