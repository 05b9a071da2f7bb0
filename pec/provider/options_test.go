package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
	"github.com/gopec/gopec/smtpclient"
)

// One logger reaches every part. At Info it hears nothing of what is written or of whom it
// is about, and at no level a secret or a body.
func TestLoggerHearsEveryPartAndNoSecrets(t *testing.T) {
	n := pectest.Start(t, nil)
	preset, login := presetOf(n, mario)
	var heard bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&heard, &slog.HandlerOptions{Level: slog.LevelDebug}))
	conn, err := preset.Connect(login, &provider.Options{KeepSent: true, Logger: logger})
	require.NoError(t, err)
	defer conn.Close()
	client, err := conn.NewClient(mario, nil)
	require.NoError(t, err)
	id, err := client.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Oggetto riservato", Text: "Testo riservato."})
	require.NoError(t, err)
	_, err = client.Follow(t.Context(), id)
	require.NoError(t, err)

	parts := map[string]bool{}
	for line := range strings.Lines(heard.String()) {
		var record struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		part, _, _ := strings.Cut(record.Msg, ":")
		parts[part] = true
		for _, secret := range []string{"riservato", n.Access(mario).Password} {
			require.NotContains(t, line, secret)
		}
		if record.Level != "DEBUG" {
			require.NotContains(t, line, luigi)
			require.NotContains(t, line, `"`+mario)
		}
	}
	require.Equal(t, map[string]bool{"pec": true, "smtpclient": true, "imapclient": true}, parts)

	// A logger in the pec.Options takes the place of the Connection's for the Client alone.
	heard.Reset()
	var own bytes.Buffer
	client, err = conn.NewClient(mario, &pec.Options{Logger: slog.New(slog.NewJSONHandler(&own, nil))})
	require.NoError(t, err)
	_, err = client.Send(t.Context(), pec.Message{To: []string{luigi}, Text: "Testo."})
	require.NoError(t, err)
	require.Contains(t, own.String(), `"pec: submission"`)
	require.NotContains(t, heard.String(), `"pec: `)
}

// Since leaves out what is older, where a folder is read from its beginning.
func TestSince(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Start: time.Now().Add(-30 * 24 * time.Hour)})
	preset, login := presetOf(n, mario)
	sent := func(subject string) {
		conn, err := preset.Connect(login, nil)
		require.NoError(t, err)
		defer conn.Close()
		client, err := conn.NewClient(mario, &pec.Options{Now: n.Now})
		require.NoError(t, err)
		_, err = client.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: subject, Text: "Testo."})
		require.NoError(t, err)
		require.NoError(t, n.Idle(t.Context()))
	}
	sent("vecchia")
	n.Advance(10 * 24 * time.Hour)
	sent("nuova")

	conn, err := preset.Connect(login, &provider.Options{Since: n.Now().Add(-24 * time.Hour)})
	require.NoError(t, err)
	defer conn.Close()
	client, err := conn.NewClient(mario, &pec.Options{Now: n.Now})
	require.NoError(t, err)
	subjects := map[string]int{}
	for e, err := range client.Sync(t.Context()) {
		require.NoError(t, err)
		subjects[e.Notice.Subject]++
	}
	require.Equal(t, map[string]int{"nuova": 2}, subjects)
}

// What a preset knows of a provider's habits reaches the parts that need it.
func TestHabitsOfAProvider(t *testing.T) {
	const folder = "INBOX.Spediti"
	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
		{Domain: "alfa-pec.example", Accounts: []pectest.Account{{Address: mario, Password: "segreta"}}, Folders: []string{folder}},
		{Domain: "beta-pec.example", Accounts: []pectest.Account{{Address: luigi, Password: "segreta"}}},
	}})
	n.Intercept(func(m pectest.Moment) *pectest.Fault {
		if strings.HasPrefix(m.Command, "MAIL") {
			return &pectest.Fault{Reply: "550 5.7.1 Class Of Service exceeded\r\n"}
		}
		return nil
	})
	preset, login := presetOf(n, mario)
	preset.SentFolder, preset.PerMinute = folder, 1
	preset.Throttles = []smtpclient.ThrottleReply{{Command: "MAIL", Code: 550, Text: "class of service"}}
	conn, err := preset.Connect(login, &provider.Options{KeepSent: true})
	require.NoError(t, err)
	defer conn.Close()
	client, err := conn.NewClient(mario, nil)
	require.NoError(t, err)
	id, err := client.Send(t.Context(), pec.Message{To: []string{luigi}, Text: "Testo."})
	var failed *pec.SendError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, pec.OutcomeTemporary, failed.Outcome.Kind, "a throttle of this provider, and no refusal")
	status, err := client.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateRetrying, status.Recipients[0].State)

	// The next message of this minute waits for its turn.
	body := "To: x\r\n\r\nx\r\n"
	waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	o := conn.Submitter.Submit(waiting, pec.Submission{From: mario, To: []string{luigi}, Size: int64(len(body)), Body: strings.NewReader(body)})
	require.Equal(t, pec.OutcomeTemporary, o.Kind)
	require.ErrorIs(t, o.Err, waiting.Err())

	require.NoError(t, conn.SentFolder.Save(t.Context(), id, int64(len(body)), strings.NewReader(body)))
	kept, err := n.ProviderOf(mario).Messages(mario, folder)
	require.NoError(t, err)
	require.Len(t, kept, 1)
}
