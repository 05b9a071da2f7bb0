package program_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec/pectest"
)

// Every program that can run for long ends at either signal, with the same exit status.
func TestSignals(t *testing.T) {
	n := pectest.Start(t, nil)
	w := newWrong(t)
	provider, owner := n.Providers()[0], n.Accounts()[0]
	flags := accounttest.Flags(t, n)
	called := make(chan struct{}, 100)
	silent := testenv.Listen(t, nil, func(conn net.Conn) { // a server that never answers
		called <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})
	config, err := json.Marshal(map[string]any{
		"providers": []any{map[string]string{"domain": provider.Domain(), "smtp": provider.SMTPAddr(), "imap": silent}},
		"accounts":  []any{map[string]string{"address": owner.Address, "login": owner.Login, "password": owner.Password}},
		"ca":        flags[slices.Index(flags, "-ca")+1],
	})
	require.NoError(t, err)
	fleet := filepath.Join(w.folder, "fleet.json")
	require.NoError(t, os.WriteFile(fleet, config, 0o600))
	answers := filepath.Join(w.folder, "answers")
	require.NoError(t, os.Mkdir(answers, 0o700))

	// A notice makes watch print something, which shows that it is under way.
	raw, err := provider.Emit(pectest.Notice{
		Kind: pectest.KindAcceptance, Sender: owner.Address, MessageID: "<m@desk>",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
	})
	require.NoError(t, err)
	require.NoError(t, provider.Deliver(owner.Address, pectest.InboxFolder, raw))
	evidence := filepath.Join(w.folder, "sent.db")
	env := []string{"PEC_TEST_PASSWORD=" + owner.Password, "WEBHOOK_SECRET=s3cret"}
	said, err := command(t.Context(), t, env, "send", with(flags, "-to", "luigi@beta-pec.example", "-key", "k", "-store", evidence)...).CombinedOutput()
	require.NoError(t, err, "%s", said)

	cases := []struct {
		name    string
		program string
		args    []string
		exit    int
		event   string // what shows that it is under way: a word of its output, or "call" or "read"
	}{
		{"simulator", "simulator", nil, 0, "providers"},
		{"watch", "watch", flags, 0, "acceptance"},
		{"watch, server silent", "watch", with(flags, "-imap", silent), 0, "call"},
		{"sdi, server silent", "sdi", with(flags, "-store", filepath.Join(w.folder, "sdi.db"), "-answers", answers, "-imap", silent), 0, "call"},
		{"webhook, receiver silent", "webhook", []string{"-store", evidence, "-url", "http://" + silent + "/"}, 0, "call"},
		{"send, server silent", "send", with(flags, "-to", "luigi@beta-pec.example", "-smtp", silent), 3, "call"},
		{"send, waiting", "send", with(flags, "-to", "silent@beta-pec.example"), 3, "accepted"},
		{"send, reading", "send", with(flags, "-to", "luigi@beta-pec.example", "-body", "-"), 3, "read"},
		{"pecverify, reading", "pecverify", []string{"-"}, 2, "read"},
		{"fleet, server silent", "fleet", []string{"-db", "", "-config", fleet, "worker", "-turn", "1s"}, 0, "call"},
	}
	for _, c := range cases {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(c.name+"/"+signal.String(), func(t *testing.T) {
				args := c.args
				if c.program == "fleet" {
					var server testenv.Postgres
					defer server.Stop()
					args = append([]string{"-db", server.Database(t)}, args[2:]...)
				}
				p := command(t.Context(), t, env, c.program, args...)
				var log strings.Builder
				p.Stderr = &log
				out, err := p.StdoutPipe()
				require.NoError(t, err)
				in, err := p.StdinPipe()
				require.NoError(t, err)
				defer in.Close()
				require.NoError(t, p.Start())
				switch c.event {
				case "call":
					<-called
				case "read": // more than a pipe can hold
					_, err = in.Write(make([]byte, 1<<20))
					require.NoError(t, err)
				default:
					for lines := bufio.NewScanner(out); ; {
						require.True(t, lines.Scan(), "%s", &log)
						if strings.Contains(lines.Text(), c.event) {
							break
						}
					}
				}
				require.NoError(t, p.Process.Signal(signal))
				_, _ = io.Copy(io.Discard, out)
				_ = p.Wait()
				require.Equal(t, c.exit, p.ProcessState.ExitCode(), "%s", &log)
				require.NotContains(t, log.String(), "goroutine")
				for len(called) > 0 {
					<-called
				}
			})
		}
	}
}

// A full disk under standard output is an error like any other.
func TestFullOutput(t *testing.T) {
	n := pectest.Start(t, nil)
	flags := accounttest.Flags(t, n)
	env := []string{"PEC_TEST_PASSWORD=" + n.Accounts()[0].Password}
	dir := t.TempDir()
	store, zip := filepath.Join(dir, "sent.db"), filepath.Join(dir, "k.zip")
	anchors := flags[slices.Index(flags, "-anchors")+1]
	for _, c := range [][]string{
		with([]string{"send"}, with(flags, "-to", "luigi@beta-pec.example", "-key", "k", "-store", store)...),
		{"dossier", "-store", store, "-key", "k", "-anchors", anchors, "-out", zip},
	} {
		said, err := command(t.Context(), t, env, c[0], c[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	for _, c := range [][]string{
		{"status", "-store", store},
		{"status", "-store", store, "-json"},
		{"dossier", "-store", store, "-key", "k", "-anchors", anchors, "-out", zip},
		{"pecverify", "-anchors", anchors, zip},
		{"pecverify", "-anchors", anchors, "-json", zip},
		{"simulator"},
		with([]string{"watch"}, flags...),
		with([]string{"send", "-to", "luigi@beta-pec.example"}, flags...),
		with([]string{"send", "-to", "luigi@beta-pec.example", "-json"}, flags...),
		with([]string{"send", "-to", "luigi@beta-pec.example", "-dry-run"}, flags...),
	} {
		p := command(t.Context(), t, env, c[0], c[1:]...)
		var log strings.Builder
		p.Stdout, p.Stderr = full, &log
		_ = p.Run()
		require.Equal(t, 2, p.ProcessState.ExitCode(), "%v: %s", c, &log)
		require.Equal(t, 1, strings.Count(log.String(), "\n"), "%v: %s", c, &log)
		require.Contains(t, log.String(), "no space left", c)
	}
}
