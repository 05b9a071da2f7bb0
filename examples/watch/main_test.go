package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func TestEachNoticeAndEnvelopeIsAnObject(t *testing.T) {
	n := pectest.Start(t, nil)
	flags := accounttest.Flags(t, n)
	me := n.Accounts()[0].Address
	deliver := func(raw []byte, err error) {
		require.NoError(t, err)
		require.NoError(t, n.Providers()[0].Deliver(me, pectest.InboxFolder, raw))
	}
	notice := pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: me, MessageID: "<m@desk>",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
	}
	deliver(n.Providers()[0].Emit(notice))
	deliver([]byte("Subject: ordinary mail\r\n\r\nciao\r\n"), nil)
	notice.Style = &pectest.Style{Malformed: pectest.MalformedChanged}
	deliver(n.Providers()[0].Emit(notice))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	var log bytes.Buffer
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, flags, writer, &log)
		writer.Close()
	}()
	objects := bufio.NewScanner(reader)
	next := func() (r receipt.Report) {
		require.True(t, objects.Scan())
		require.NoError(t, json.Unmarshal(objects.Bytes(), &r))
		return r
	}
	first := next()
	require.True(t, first.Verified)
	require.Equal(t, "acceptance", first.Kind)
	require.Equal(t, "INBOX/1", first.File)
	second := next()
	require.False(t, second.Verified)
	require.EqualValues(t, "digest-mismatch", second.Failure)

	// This arrives while the program waits.
	require.NoError(t, n.Receive("anna@example.org", []string{me}, []byte("From: anna@example.org\r\nSubject: x\r\n\r\nciao\r\n")))
	require.Equal(t, "anomaly", next().Kind)
	cancel()
	require.Zero(t, <-exit)
	require.Empty(t, log.String())
}

func TestARefusedLoginEndsIt(t *testing.T) {
	n := pectest.Start(t, nil)
	flags := accounttest.Flags(t, n)
	t.Setenv("PEC_TEST_PASSWORD", "wrong")
	var out, log bytes.Buffer
	require.Equal(t, 4, run(t.Context(), flags, &out, &log))
	require.Empty(t, out.String())
}
