package provider_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
	"github.com/gopec/gopec/smtpclient"
)

// A Connection sends, keeps the copy, reads and verifies.
func TestConnect(t *testing.T) {
	n := pectest.Start(t, nil)
	preset, login := presetOf(n, mario)
	preset.Limits = pec.Limits{Recipients: 1}
	conn, err := preset.Connect(login, &provider.Options{KeepSent: true, Folders: []string{"INBOX"}})
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	client, err := conn.NewClient(mario, nil)
	require.NoError(t, err)

	m := pec.Message{To: []string{"luigi@beta-pec.example"}, Subject: "Prova", Text: "Prova."}
	id, err := client.Send(t.Context(), m)
	require.NoError(t, err)
	status, err := client.Follow(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateDelivered, status.Recipients[0].State)
	var kept int
	for _, err := range conn.Mailbox.Fetch(t.Context(), pec.Cursor{Folder: pectest.SentFolder}) {
		require.NoError(t, err)
		kept++
	}
	require.Equal(t, 1, kept)

	m.To = append(m.To, "bruna@beta-pec.example")
	_, err = client.Send(t.Context(), m)
	var refused *pec.ComposeError
	require.ErrorAs(t, err, &refused, "the limits are the preset's")
	_, err = conn.NewClient("nobody", nil)
	var address *pec.AddressError
	require.ErrorAs(t, err, &address)
}

func TestConnectRefuses(t *testing.T) {
	login := pec.Password("mario", "secret")
	for _, preset := range []provider.Preset{{}, {SMTP: "smtp.example:465"}, {IMAP: "imap.example:993"}} {
		_, err := preset.Connect(login, nil)
		var smtp *smtpclient.Error
		var imap *imapclient.Error
		require.True(t, errors.As(err, &smtp) || errors.As(err, &imap), "%v", err)
	}
	preset := provider.Preset{SMTP: "smtp.example:465", IMAP: "imap.example:993", Anchors: []envelope.Anchor{}}
	_, err := preset.Connect(login, nil)
	require.ErrorIs(t, err, envelope.ErrNoAnchors)
	preset.Anchors = nil
	_, err = preset.Connect(pec.Login{}, nil)
	require.Error(t, err)
}

// A Connection that was not made by Connect is refused, and does not panic.
func TestConnectionWithoutParts(t *testing.T) {
	_, err := (&provider.Connection{}).NewClient(mario, nil)
	var refused *pec.OptionError
	require.ErrorAs(t, err, &refused)
}
