package pectest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestIdleWakes(t *testing.T) {
	n := pectest.Start(t, nil)
	arrived := make(chan uint32, 8)
	c := loginIMAP(t, n, mario, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				arrived <- *data.NumMessages
			}
		},
	}})
	_, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	require.NoError(t, err)
	wait := func(want uint32) {
		t.Helper()
		select {
		case got := <-arrived:
			require.Equal(t, want, got)
		case <-time.After(10 * time.Second):
			t.Fatal("IDLE said nothing")
		}
	}
	// One message before IDLE begins, one during it.
	p := n.ProviderOf(mario)
	require.NoError(t, p.Deliver(mario, "INBOX", []byte("Subject: 1\r\n\r\n")))
	command, err := c.Idle()
	require.NoError(t, err)
	wait(1)
	require.NoError(t, p.Deliver(mario, "INBOX", []byte("Subject: 2\r\n\r\n")))
	wait(2)
	require.NoError(t, command.Close())
	require.NoError(t, command.Wait())
}

func TestIMAPLogin(t *testing.T) {
	n := pectest.Start(t, nil)
	a, _ := n.Account(mario)
	for _, login := range [][2]string{{a.Login, "wrong"}, {luigi, "luigi-password"}} {
		c, err := imapclient.DialTLS(n.Access(mario).IMAP, &imapclient.Options{TLSConfig: n.Access(mario).TLS})
		require.NoError(t, err)
		err = c.Login(login[0], login[1]).Wait()
		var refused *imap.Error
		require.True(t, errors.As(err, &refused), "%v", err)
		require.Equal(t, imap.ResponseCodeAuthenticationFailed, refused.Code)
		require.NoError(t, c.Close())
	}
}

func TestFolders(t *testing.T) {
	n := pectest.Start(t, nil)
	p := n.ProviderOf(mario)
	c := loginIMAP(t, n, mario, nil)
	folders, err := c.List("", "*", nil).Collect()
	require.NoError(t, err)
	require.Len(t, folders, 2)
	require.Equal(t, pectest.InboxFolder, folders[0].Mailbox)
	require.Equal(t, pectest.SentFolder, folders[1].Mailbox)

	// A client appends its own copy of what it sent.
	w := c.Append(pectest.SentFolder, 12, nil)
	_, err = w.Write([]byte("Subject: x\r\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = w.Wait()
	require.NoError(t, err)
	// A message is copied to a folder that Deliver made, and then deleted where it was.
	require.NoError(t, p.Deliver(mario, "Ricevute", []byte("Subject: y\r\n")))
	_, err = c.Select(pectest.SentFolder, nil).Wait()
	require.NoError(t, err)
	_, err = c.Copy(imap.SeqSetNum(1), "Ricevute").Wait()
	require.NoError(t, err)
	all, err := p.Messages(mario, "Ricevute")
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("Subject: y\r\n"), []byte("Subject: x\r\n")}, all)
	require.NoError(t, c.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	require.NoError(t, c.Expunge().Close())
	all, err = p.Messages(mario, pectest.SentFolder)
	require.NoError(t, err)
	require.Empty(t, all)

	_, err = p.Messages(mario, "Assente")
	require.Error(t, err)
	_, err = p.Messages(luigi, "INBOX")
	require.Error(t, err)
	require.Error(t, p.Deliver(luigi, "INBOX", nil))
}

func TestExamineChangesNothing(t *testing.T) {
	n := pectest.Start(t, nil)
	require.NoError(t, n.ProviderOf(mario).Deliver(mario, "INBOX", []byte("Subject: 1\r\n\r\nciao\r\n")))
	flags := func(readOnly bool) []imap.Flag {
		c := loginIMAP(t, n, mario, nil)
		_, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: readOnly}).Wait()
		require.NoError(t, err)
		_, err = c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}}).Collect()
		require.NoError(t, err)
		if readOnly {
			require.Error(t, c.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
		}
		got, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{Flags: true}).Collect()
		require.NoError(t, err)
		return got[0].Flags
	}
	require.Empty(t, flags(true))
	require.Equal(t, []imap.Flag{imap.FlagSeen}, flags(false))
}
