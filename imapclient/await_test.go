package imapclient

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/internal/testenv"
)

// TestAwait has a library that does not return after the end of the connection: await
// gives up, and nothing asks the library again.
func TestAwait(t *testing.T) {
	id := testenv.NewIdentity(t)
	addr := testenv.Listen(t, id.Server, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	config, err := netguard.TLSConfig(addr, id.Client)
	require.NoError(t, err)
	conn, err := netguard.Dial(t.Context(), addr, config, time.Minute)
	require.NoError(t, err)
	s := newSession(conn, time.Minute)
	forever := make(chan struct{})
	defer close(forever)

	require.NoError(t, conn.Close())
	_, err = await(s, func() (int, error) {
		<-forever
		return 1, nil
	})
	require.ErrorIs(t, err, errStuck)
	err = s.done(func() error {
		t.Error("asked again")
		return nil
	})
	require.ErrorIs(t, err, errStuck)
	_, _, ok := (&turn{client: &Client{session: s}}).ask(imap.UIDSetNum(1), &imap.FetchOptions{}, whole).next()
	assert.False(t, ok)
	s.drop()
}
