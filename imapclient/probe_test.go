package imapclient_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
)

func TestProbe(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	f.caps = "IMAP4rev1 QUOTA AUTH=PLAIN SASL-IR SPECIAL-USE LIST-EXTENDED"
	f.list = "* LIST (\\Noselect) \"/\" Tutto\r\n* LIST (\\HasChildren) \"/\" INBOX\r\n* LIST (\\Sent) \"/\" \"INBOX/Cos&AOw-\"\r\n"
	f.quota = "* QUOTAROOT INBOX \"User quota\"\r\n* QUOTA \"User quota\" (MESSAGE 3 100 STORAGE 10 102400)\r\n"
	c := f.open(t, nil)
	p, err := c.Probe(context.Background())
	require.NoError(t, err)
	assert.Equal(t, &imapclient.MailboxInfo{
		Capabilities: []string{"AUTH=PLAIN", "IMAP4rev1", "LIST-EXTENDED", "QUOTA", "SASL-IR", "SPECIAL-USE"},
		Folders: []imapclient.Folder{
			{Name: "Tutto", Delimiter: "/"},
			{Name: "INBOX", Delimiter: "/", Selectable: true},
			{Name: "INBOX/Così", Delimiter: "/", SpecialUse: `\Sent`, Selectable: true},
		},
		Selected: []imapclient.FolderState{{Name: "INBOX", UIDValidity: 7, Messages: 3}},
		Quota:    &imapclient.Quota{Used: 10 << 10, Limit: 100 << 20},
	}, p)
	assert.Equal(t, []string{`LIST "" "*" RETURN (SPECIAL-USE)`}, f.heard("LIST"))

	// A missing quota or folder is not an error of Probe.
	f.lock(func() {
		f.refuse["GETQUOTAROOT"] = "NO not for you"
		f.refuse["EXAMINE"] = "NO [NONEXISTENT] none"
	})
	p, err = c.Probe(context.Background())
	require.NoError(t, err)
	assert.Nil(t, p.Quota)
	require.Len(t, p.Selected, 1)
	checkReason(t, p.Selected[0].Err, imapclient.ReasonFolder)
	assert.Equal(t, 1, f.dials)

	f.lock(func() { f.refuse["LIST"] = "NO" })
	_, err = c.Probe(context.Background())
	checkReason(t, err, imapclient.ReasonRefused)
	c.Close()
	_, err = c.Probe(context.Background())
	checkReason(t, err, imapclient.ReasonClosed)
}
