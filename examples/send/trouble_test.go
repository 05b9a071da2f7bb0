package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// What keeps a message from being settled is printed on standard error and in the result.
// The result is always printed, and names the message.
func TestTroubleIsReported(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
		{Domain: "alfa-pec.example", Accounts: []pectest.Account{{Address: "mario@alfa-pec.example", Password: "x"}}, RefuseAtSMTP: true, CertifiedOnly: true},
		{Domain: "beta-pec.example", Accounts: []pectest.Account{{Address: luigi, Password: "x"}}},
	}})
	stranger := pectest.Start(t, nil)
	file := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	otherCA := file("ca.pem", stranger.TLSRootPEM())
	otherAnchors := file("anchors.pem", accounttest.AnchorPEM(stranger))
	silent := testenv.Listen(t, nil, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	cases := map[string]struct {
		args  []string
		exit  int
		says  string // on standard error and as errorText
		state string // of the recipient, in the end
		flag  pec.Flag
	}{
		"wrong TLS root":          {[]string{"-ca", otherCA}, exitNotFinal, "certificate", "retrying", ""},
		"dead SMTP":               {[]string{"-smtp", "127.0.0.1:1"}, exitNotFinal, "refused", "retrying", ""},
		"dead IMAP":               {[]string{"-imap", "127.0.0.1:1"}, exitNotFinal, "imapclient", "submitted", ""},
		"wrong anchors":           {[]string{"-anchors", otherAnchors, "-timeout", "6s"}, exitNotFinal, "untrusted", "submitted", "unverified"},
		"silent SMTP":             {[]string{"-smtp", silent}, exitNotFinal, "deadline", "retrying", ""},
		"silent IMAP":             {[]string{"-imap", silent}, exitNotFinal, "after 2s", "submitted", ""},
		"refused in the dialogue": {[]string{"-cc", info}, exitNotAll, "55", "refused", ""},
		"wrong password":          {[]string{"-password-env", "WRONG"}, exitLogin, "535", "suspended", ""},
		"never final":             {[]string{"-to", "silent@beta-pec.example"}, exitNotFinal, "after 2s", "accepted", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("WRONG", "wrong")
			exit, out, log := send(t, n, append([]string{"-json", "-to", luigi, "-subject", "Prova", "-timeout", "2s"}, c.args...)...)
			require.Equal(t, c.exit, exit, "%s\n%s", out, log)
			require.Contains(t, log, c.says)
			var last finalObject
			for scanner := bufio.NewScanner(strings.NewReader(out)); scanner.Scan(); {
				last = finalObject{}
				require.NoError(t, json.Unmarshal(scanner.Bytes(), &last))
			}
			require.True(t, last.Final, out)
			require.NotEmpty(t, last.MessageID)
			require.NotNil(t, last.Flags)
			if c.flag != "" {
				require.Contains(t, last.Flags, c.flag)
			}
			states := map[string]bool{}
			for _, r := range last.Recipients {
				if states[r.State] = true; r.State == c.state {
					require.Contains(t, r.ErrorText, c.says)
				}
			}
			require.True(t, states[c.state], out)
		})
	}
}

// Trouble with other messages in the mailbox is not reported.
func TestOtherMailIsNoTrouble(t *testing.T) {
	n := pectest.Start(t, nil)
	me, provider := n.Accounts()[0].Address, n.Providers()[0]
	raw, err := provider.Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: me, MessageID: "<another@desk>",
		Recipients: []pectest.Recipient{{Address: luigi}}, Style: &pectest.Style{Malformed: pectest.MalformedChanged},
	})
	require.NoError(t, err)
	require.NoError(t, provider.Deliver(me, pectest.InboxFolder, raw))
	exit, out, log := send(t, n, "-json", "-to", luigi, "-subject", "Prova")
	require.Equal(t, exitAsRequired, exit, "%s\n%s", out, log)
	require.Empty(t, log)
}
