package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

func TestExitStatus(t *testing.T) {
	n := pectest.Start(t, nil)
	cases := map[string]struct {
		args []string
		exit int
	}{
		"delivered":              {[]string{"-to", luigi}, exitAsRequired},
		"failed":                 {[]string{"-to", luigi + "," + nobody}, exitNotAll},
		"ordinary":               {[]string{"-to", info}, exitNotAll},
		"ordinary is enough":     {[]string{"-to", luigi, "-cc", info, "-allow-ordinary"}, exitAsRequired},
		"never final":            {[]string{"-to", "silent@beta-pec.example", "-timeout", "2s"}, exitNotFinal},
		"accepted is enough":     {[]string{"-to", "silent@beta-pec.example", "-timeout", "2s", "-require", "accepted"}, exitAsRequired},
		"no recipient":           {nil, exitTrouble},
		"key without store":      {[]string{"-to", luigi, "-key", "k"}, exitTrouble},
		"not an address":         {[]string{"-to", "luigi"}, exitTrouble},
		"file that is not there": {[]string{"-to", luigi, "-attach", "no such file"}, exitTrouble},
		"nothing is sent":        {[]string{"-to", luigi, "-dry-run"}, exitAsRequired},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			exit, out, log := send(t, n, append(c.args, "-subject", "Prova", "-body", "-")...)
			require.Equal(t, c.exit, exit, "%s\n%s", out, log)
		})
	}
	messages, err := n.Providers()[1].Messages(luigi, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, messages, 3, "the dry run sends nothing")
}

func TestJSON(t *testing.T) {
	n := pectest.Start(t, nil)
	file := filepath.Join(t.TempDir(), "fattura.pdf")
	require.NoError(t, os.WriteFile(file, []byte("%PDF"), 0o600))
	_, out, log := send(t, n, "-json", "-to", luigi+`,"Rossi, Anna" <`+nobody+">", "-subject", "Prova", "-attach", file)
	require.Empty(t, log)
	var last map[string]any
	states := map[string][]any{}
	for scanner := bufio.NewScanner(strings.NewReader(out)); scanner.Scan(); {
		last = nil
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &last))
		if last["final"] == nil {
			require.Len(t, last, 14)
			recipient := last["recipient"].(string)
			states[recipient] = append(states[recipient], last["state"])
		}
	}
	require.Equal(t, []any{"pending", "uncertain", "submitted", "accepted", "delivered"}, states[luigi])
	require.Equal(t, []any{"pending", "uncertain", "submitted", "accepted", "failed"}, states[nobody])
	require.Equal(t, true, last["final"])
	require.Equal(t, "partial", last["result"])
	first := last["recipients"].([]any)[0].(map[string]any)
	require.Equal(t, "match", first["content"])
	_, err := time.Parse(time.RFC3339, first["certifiedAt"].(string))
	require.NoError(t, err)
	second := last["recipients"].([]any)[1].(map[string]any)
	require.Equal(t, "5.1.1", second["code"])
	require.Equal(t, "unknown-address", second["cause"])
}

func TestAKeySendsOnceAndGoesOn(t *testing.T) {
	n := pectest.Start(t, nil)
	store := filepath.Join(t.TempDir(), "pec.db")
	args := []string{"-to", luigi, "-subject", "Prova", "-key", "fattura 12", "-store", store}
	// The first run ends before the notices arrive.
	remove := n.Route(func(pectest.Notice) ([]pectest.Posting, bool) { return []pectest.Posting{{After: time.Hour}}, true })
	exit, out, log := send(t, n, append(args, "-timeout", "1s")...)
	require.Equal(t, exitNotFinal, exit, "%s\n%s", out, log)
	remove()
	n.Advance(2 * time.Hour)
	exit, out, log = send(t, n, append(args, "-timeout", "30s")...)
	require.Equal(t, exitAsRequired, exit, "%s\n%s", out, log)
	exit, _, _ = send(t, n, args...)
	require.Equal(t, exitAsRequired, exit, "settled: nothing is left to do")
	messages, err := n.Providers()[1].Messages(luigi, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	exit, _, log = send(t, n, "-to", nobody, "-key", "fattura 12", "-store", store)
	require.Equal(t, exitTrouble, exit)
	require.Contains(t, log, "fattura 12")
}

func TestARefusedLogin(t *testing.T) {
	n := pectest.Start(t, nil)
	flags := accounttest.Flags(t, n)
	t.Setenv("PEC_TEST_PASSWORD", "wrong")
	args := append(flags, "-to", luigi, "-store", filepath.Join(t.TempDir(), "pec.db"), "-key", "k")
	for range 2 {
		var out, log bytes.Buffer
		require.Equal(t, exitLogin, run(context.Background(), args, nil, &out, &log), "%s\n%s", &out, &log)
	}
	require.Equal(t, 1, n.Providers()[0].RefusedLogins(n.Accounts()[0].Address), "the second run does not log in")
}

func TestAnEMLFileIsSentUnchanged(t *testing.T) {
	n := pectest.Start(t, nil)
	file := filepath.Join(t.TempDir(), "m.eml")
	text := "From: " + n.Accounts()[0].Address + "\nTo: " + luigi + "\nSubject: Prova\nDate: " + n.Now().Format(time.RFC1123Z) +
		"\nMIME-Version: 1.0\nMessage-ID: <mine@desk.example>\n\nBuongiorno.\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	exit, out, log := send(t, n, "-eml", file)
	require.Equal(t, exitAsRequired, exit, "%s\n%s", out, log)
	require.Contains(t, out, "mine@desk.example: delivered")
}

// On a terminal the table stays in place, whatever a provider writes.
func TestTableWritesOverItself(t *testing.T) {
	var out bytes.Buffer
	d := &table{lines: lines{&out, io.Discard}}
	after := pec.Status{MessageID: "m@x", Result: pec.ResultOpen, Recipients: []pec.RecipientStatus{{Address: luigi}, {Address: nobody, State: pec.StateFailed}}}
	after.Recipients[1].Failure = envelope.Failure{Cause: envelope.CauseOther, Text: "no\x1b[2J\r\nroom" + strings.Repeat("!", 100)}
	require.NoError(t, d.change(pec.Change{After: after}))
	require.NotContains(t, out.String(), "\x1b")
	require.Equal(t, 3, strings.Count(out.String(), "\n"))
	out.Reset()
	require.NoError(t, d.change(pec.Change{Before: after, After: after}))
	require.Empty(t, out.String(), "nothing changed")
	require.NoError(t, d.change(pec.Change{After: after}))
	require.True(t, strings.HasPrefix(out.String(), "\x1b[3A\x1b[J"))
}
