package killtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// scene is what the runs of a test share.
type scene struct {
	network *pectest.Network
	smtp    *relay
	roots   []byte
	other   *pec.Client // of stranger, who writes to the mailboxes of the runs
	driver  string
	dsn     string // "" for one SQLite file per run
	runs    int    // how many there are so far
}

const stranger = "other@beta-pec.example"

// newScene starts a network with accounts for so many runs.
func newScene(t *testing.T, driver string, runs int) *scene {
	t.Helper()
	s := &scene{driver: driver}
	if driver != "sqlite" {
		s.dsn = server.Database(t)
	}
	alfa := pectest.ProviderOptions{Domain: "alfa-pec.example"}
	beta := pectest.ProviderOptions{Domain: "beta-pec.example", Accounts: []pectest.Account{{Address: stranger, Password: password}}}
	for i := range runs {
		alfa.Accounts = append(alfa.Accounts, pectest.Account{Address: fmt.Sprintf("me%d@alfa-pec.example", i), Password: password})
		for _, name := range []string{"to", "then"} {
			beta.Accounts = append(beta.Accounts, pectest.Account{Address: fmt.Sprintf("%s%d@beta-pec.example", name, i), Password: password})
		}
	}
	s.network = pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{alfa, beta}})
	s.smtp = newRelay(t, s.network.Providers()[0].SMTPAddr())
	block, _ := pem.Decode(s.network.TLSRootPEM())
	s.roots = block.Bytes
	trust := trusttest.TLS(s.network)
	submit, err := smtpclient.New(s.network.Providers()[1].SMTPAddr(), pec.Password(stranger, password), &smtpclient.Options{TLS: trust})
	require.NoError(t, err)
	t.Cleanup(func() { submit.Close() })
	mailbox, err := imapclient.New(s.network.Providers()[1].IMAPAddr(), pec.Password(stranger, password), &imapclient.Options{TLS: trust})
	require.NoError(t, err)
	s.other, err = pec.New(stranger, submit, mailbox, trusttest.Verifier(t, s.network, nil), nil)
	require.NoError(t, err)
	return s
}

const pragmas = "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

// run is one mailbox and the work of its workers.
type run struct {
	*scene
	order order
}

// newRun takes the next accounts of the scene. The mailbox receives two messages.
func (s *scene) newRun(t *testing.T) *run {
	t.Helper()
	dir := t.TempDir()
	dsn := s.dsn
	if dsn == "" {
		// The folder has the name of the test, and a # in it would end the path of the URI.
		file := url.URL{Path: filepath.Join(dir, "pec.db")}
		dsn = "file:" + file.EscapedPath() + pragmas
	}
	r := &run{scene: s, order: order{
		Driver: s.driver, DSN: dsn, Way: sends,
		Address: fmt.Sprintf("me%d@alfa-pec.example", s.runs),
		To:      fmt.Sprintf("to%d@beta-pec.example", s.runs),
		Then:    fmt.Sprintf("then%d@beta-pec.example", s.runs),
		SMTP:    s.smtp.addr(), IMAP: s.network.Providers()[0].IMAPAddr(),
		Roots: s.roots, Anchor: s.network.SigningCA().Raw,
		Handled: filepath.Join(dir, "handled"),
	}}
	s.runs++
	for _, subject := range []string{"one", "two"} {
		_, err := s.other.Send(t.Context(), pec.Message{To: []string{r.order.Address}, Subject: subject, Text: "x"})
		require.NoError(t, err)
	}
	return r
}

// process is a worker in a process of its own.
type process struct {
	cmd    *exec.Cmd
	output *bufio.Reader
	stderr bytes.Buffer
}

// start starts a worker, and returns when it is about to open its database.
func start(t *testing.T, o order) *process {
	t.Helper()
	text, err := json.Marshal(o)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.CommandContext(t.Context(), self)}
	p.cmd.Env = append(os.Environ(), orders+"="+string(text))
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.output = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	_, err = p.output.ReadString('\n')
	require.NoError(t, err)
	return p
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// wait waits for the worker to end, and reports whether it was killed. An exit with an error
// fails the test.
func (p *process) wait(t *testing.T) (killed bool) {
	t.Helper()
	err := p.cmd.Wait()
	if err == nil {
		return false
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "%v\n%s", err, p.stderr.String())
	return true
}

// again takes up the work in this process, until nothing changes any more.
func (r *run) again(t *testing.T, way string, ahead time.Duration) {
	t.Helper()
	r.smtp.idle() // the provider has read all that the killed workers sent
	require.NoError(t, r.network.Idle(t.Context()))
	o := r.order
	o.Way, o.Ahead = way, ahead
	w, err := o.open(t.Context(), calm)
	require.NoError(t, err)
	defer w.close()
	r.finish(t, w)
}

// calm is the step function of workers that nothing happens to.
func calm(string) error { return nil }

// finish works until nothing changes any more. It fails after 20 seconds: a worker would
// wait for ever for a notice that is lost.
func (r *run) finish(t *testing.T, w *worker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for known := -1; ; {
		require.NoError(t, w.work(ctx))
		require.NoError(t, r.network.Idle(ctx))
		require.NoError(t, w.each(w.Sync(ctx)))
		count := 0
		for _, err := range w.Changes(ctx, "") {
			require.NoError(t, err)
			count++
		}
		if count == known {
			return
		}
		known = count
	}
}
