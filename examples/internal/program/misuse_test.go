package program_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// misuse is one way to run a program wrongly.
type misuse struct {
	args []string
	says string // a part of the line on standard error
}

const password = "PEC_PASSWORD=s3cret"

// mailbox are the flags of a mailbox whose servers do not exist.
var mailbox = []string{"-smtp", "127.0.0.1:1", "-imap", "127.0.0.1:1", "-user", "a@pec.example"}

// everywhere returns misuses of every program.
func everywhere(base []string) []misuse {
	return []misuse{
		{with(base, "-no-such-flag"), "no-such-flag"},
		{[]string{"-\x1b[2J\nx"}, "2J"},
	}
}

// ofMailbox returns misuses of every program that takes the flags of a mailbox.
func ofMailbox(w wrong, base []string) []misuse {
	all := []misuse{
		{with(base, "-preset", "nobody"), "nobody"},
		{with(base, "-smtp", ""), "-smtp"},
		{with(base, "-imap", ""), "-imap"},
		{with(base, "-smtp", "no port"), "no port"},
		{with(base, "-imap", "no port"), "no port"},
		{with(base, "-smtp", "127.0.0.1:x"), "127.0.0.1:x"},
		{with(base, "-user", ""), "-user"},
		{with(base, "-user", "login"), "-from"},
		{with(base, "-user", "a\x00@pec.example"), ""},
		{with(base, "-user", "a\n@pec.example"), "login name"},
		{with(base, "-from", "no address"), "no address"},
		{with(base, "-password-env", "NO_SUCH"), "NO_SUCH"},
		{with(base, "-password-env", "EMPTY"), "EMPTY"},
		{with(base, "-password-env", ""), "-password-env"},
		{with(base, "-folder", ""), "folder"},
	}
	for _, flag := range []string{"-ca", "-anchors"} {
		for _, file := range []string{w.missing, w.folder, w.unreadable, w.text, w.empty, w.brokenPEM} {
			all = append(all, misuse{with(base, flag, file), file})
		}
	}
	return append(all, ofStore(w, base)...)
}

// ofStore returns misuses of every program that opens a store.
func ofStore(w wrong, base []string) (all []misuse) {
	for _, file := range []string{w.missing, w.missing + "/x.db", w.folder, w.readOnly, w.unreadable, w.text, w.garbage, w.halfStore, w.newerStore} {
		all = append(all, misuse{with(base, "-store", file), file})
	}
	return all
}

// misuses returns the misuses of all programs, by the name of the program.
func misuses(w wrong) map[string][]misuse {
	send := with(mailbox, "-to", "b@pec.example", "-subject", "x", "-timeout", "50ms")
	watch := mailbox
	sdi := with(mailbox, "-store", w.store, "-answers", w.folder)
	status := []string{"-store", w.store}
	webhook := []string{"-store", w.store, "-url", "http://127.0.0.1:1/", "-once"}
	evidence := []string{"-store", w.store, "-key", "k", "-out", filepath.Join(w.folder, "out.zip")}
	all := map[string][]misuse{
		"send": append([]misuse{
			{nil, "-to"},
			{mailbox, "-to"},
			{with(send, "more"), "more"},
			{with(mailbox, "-to", "no address"), "no address"},
			{with(mailbox, "-to", ""), "-to"},
			{with(send, "-cc", "no address"), "no address"},
			{with(send, "-reply-to", "no address"), "no address"},
			{with(send, "-subject", "two\nlines"), ""},
			{with(send, "-receipt", "long"), "long"},
			{with(send, "-require", "read"), "read"},
			{with(send, "-timeout", "soon"), "soon"},
			{with(send, "-timeout", "0s"), "-timeout"},
			{with(send, "-timeout", "-1s"), "-timeout"},
			{with(send, "-key", "k"), "-store"},
			{with(send, "-eml", w.message), "-eml"},
			{with(mailbox, "-eml", w.missing), w.missing},
			{with(mailbox, "-eml", w.folder), w.folder},
			{with(mailbox, "-eml", w.unreadable), w.unreadable},
			{with(mailbox, "-eml", w.empty), ""},
			{with(mailbox, "-eml", w.text), ""},
			{with(send, "-body", w.missing), w.missing},
			{with(send, "-body", w.folder), w.folder},
			{with(send, "-body", w.unreadable), w.unreadable},
			{with(send, "-attach", w.missing), w.missing},
			{with(send, "-attach", w.folder), w.folder},
			{with(send, "-attach", w.unreadable), w.unreadable},
			{with(send, "-json=perhaps"), "perhaps"},
		}, ofMailbox(w, send)...),
		"watch": append([]misuse{{nil, "-preset"}, {with(watch, "more"), "more"}}, ofMailbox(w, watch)...),
		"sdi": append([]misuse{
			{nil, "-store"},
			{with(mailbox, "-store", w.store), "-answers"},
			{with(mailbox, "-answers", w.folder), "-store"},
			{with(sdi, "-answers", w.missing), w.missing},
			{with(sdi, "-answers", w.text), w.text},
			{with(sdi, "-to", "no address"), "no address"},
			{with(sdi, w.text), "text"},
			{with(sdi, filepath.Join(w.folder, "IT01234567890_00001.xml")), "IT01234567890_00001.xml"},
		}, ofMailbox(w, sdi)...),
		"status": append([]misuse{
			{nil, "-store"},
			{with(status, "more"), "more"},
			{with(status, "-open", "-overdue"), "-open"},
			{with(status, "-open", "-key", "k"), "-open"},
		}, ofStore(w, status)...),
		"webhook": append([]misuse{
			{nil, "-store"},
			{webhook[:2], "-url"},
			{webhook[2:], "-store"},
			{with(webhook, "more"), "more"},
			{with(webhook, "-url", "127.0.0.1:1"), "127.0.0.1:1"},
			{with(webhook, "-url", "ftp://127.0.0.1/"), "ftp"},
			{with(webhook, "-url", "http:///path"), "http:///path"},
			{with(webhook, "-url", "http://a b/"), "a b"},
			{with(webhook, "-tries", "0"), "-tries"},
			{with(webhook, "-name", ""), "-name"},
			{with(webhook, "-parked"), "-parked"},
			{with(webhook, "-secret-env", "NO_SUCH"), "NO_SUCH"},
			{with(webhook, "-secret-env", "EMPTY"), "EMPTY"},
		}, ofStore(w, webhook)...),
		"dossier": append([]misuse{
			{nil, "-out"},
			{evidence[:4], "-out"},
			{with(evidence, "more"), "more"},
			{with(evidence, "-folder", w.folder), "-folder"},
			{with(evidence, "-message-id", "m"), "-message-id"},
			{with(evidence, "-lang", "fr"), "fr"},
			{[]string{"-store", w.store, "-out", "x.zip"}, "-key"},
			{[]string{"-folder", w.missing, "-out", "x.zip"}, w.missing},
			{[]string{"-folder", w.text, "-out", "x.zip"}, w.text},
			{[]string{"-folder", w.folder, "-out", w.missing + "/x.zip"}, w.missing},
			{[]string{"-folder", w.folder, "-out", w.readOnly}, "/proc/self"},
			{with(evidence, "-anchors", w.missing), w.missing},
			{with(evidence, "-anchors", w.folder), w.folder},
			{with(evidence, "-anchors", w.unreadable), w.unreadable},
			{with(evidence, "-anchors", w.brokenPEM), w.brokenPEM},
		}, ofStore(w, evidence)...),
		"pecverify": {
			{nil, "FILE"},
			{[]string{w.missing}, w.missing},
			{[]string{w.unreadable}, w.unreadable},
			{[]string{filepath.Join(w.folder, "half.db", "x")}, "half.db"},
			{[]string{"-anchors", w.missing, w.message}, w.missing},
			{[]string{"-anchors", w.folder, w.message}, w.folder},
			{[]string{"-anchors", w.unreadable, w.message}, w.unreadable},
			{[]string{"-anchors", w.text, w.message}, w.text},
			{[]string{"-anchors", w.brokenPEM, w.message}, w.brokenPEM},
			{[]string{"-sent", w.missing, w.message}, w.missing},
			{[]string{"-sent", w.folder, w.message}, w.folder},
			{[]string{"-sent", w.unreadable, w.message}, w.unreadable},
		},
		"simulator": {
			{[]string{"more"}, "more"},
			{[]string{"-speed", "-1"}, "-speed"},
			{[]string{"-speed", "fast"}, "fast"},
			{[]string{"-config", w.missing}, w.missing},
			{[]string{"-config", w.folder}, w.folder},
			{[]string{"-config", w.unreadable}, w.unreadable},
			{[]string{"-config", w.text}, w.text},
			{[]string{"-config", w.empty}, w.empty},
		},
		"fleet": {
			{nil, "worker"},
			{[]string{"dance"}, "dance"},
			{[]string{"-config", w.text, "worker"}, "-db"},
			{[]string{"-db", "postgres://127.0.0.1:1/x", "worker"}, "-config"},
			{[]string{"-db", "no database", "summary"}, ""},
			{[]string{"-db", "postgres://127.0.0.1:1/x?connect_timeout=2", "summary"}, "127.0.0.1"},
			{[]string{"-db", "postgres://127.0.0.1:1/x", "-config", w.missing, "worker"}, w.missing},
			{[]string{"-db", "postgres://127.0.0.1:1/x", "-config", w.folder, "worker"}, w.folder},
			{[]string{"-db", "postgres://127.0.0.1:1/x", "-config", w.unreadable, "worker"}, w.unreadable},
			{[]string{"-db", "postgres://127.0.0.1:1/x", "-config", w.text, "worker"}, w.text},
			{[]string{"-db", "postgres://127.0.0.1:1/x", "-config", w.empty, "worker"}, w.empty},
		},
		"quickstart":   {{[]string{"more"}, "more"}},
		"custom-store": {{[]string{"more"}, "more"}},
	}
	for name := range all {
		all[name] = append(all[name], everywhere(nil)...)
	}
	return all
}

// After a misuse a program prints one line, ends with exit status 2, and does nothing else.
func TestMisuse(t *testing.T) {
	w := newWrong(t)
	table := misuses(w)
	folder, err := programs()
	require.NoError(t, err)
	built, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, table, len(built), "every program has its misuses")
	env := []string{password, "WEBHOOK_SECRET=s3cret", "EMPTY="}
	for name, cases := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range cases {
				// The timeout only matters for a program that does not end.
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				if strings.Contains(strings.Join(c.args, ""), "\x00") {
					cancel()
					continue // a process cannot have such an argument
				}
				p := command(ctx, t, env, name, c.args...)
				var out, log bytes.Buffer
				p.Stdout, p.Stderr = &out, &log
				_ = p.Run()
				said := log.String()
				if p.ProcessState.ExitCode() != 2 || out.Len() > 0 || strings.Count(said, "\n") != 1 || !strings.HasSuffix(said, "\n") ||
					!strings.HasPrefix(said, name+": ") || !strings.Contains(said, c.says) || strings.Contains(said, "\x1b") || strings.Contains(said, "s3cret") {
					t.Errorf("%q: exit %d, stdout %q, stderr %q, which should contain %q", c.args, p.ProcessState.ExitCode(), &out, said, c.says)
				}
				entries, err := os.ReadDir(p.Dir)
				require.NoError(t, err)
				require.Empty(t, entries, "%q leaves no file", c.args)
				cancel()
			}
		})
	}
}

// -help prints the flags, and the exit status is 0.
func TestHelp(t *testing.T) {
	for name := range misuses(newWrong(t)) {
		if name == "quickstart" || name == "custom-store" {
			continue // they have no flags
		}
		p := command(t.Context(), t, nil, name, "-help")
		said, err := p.CombinedOutput()
		require.NoError(t, err, name)
		require.Contains(t, string(said), "usage: "+name)
	}
}
