package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// process is a worker that runs in a process of its own.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	exited chan struct{}
}

func (s *site) process(t *testing.T) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{exited: make(chan struct{})}
	p.cmd = exec.Command(self, "-db", s.url, "-config", s.file, "worker", "-sends", "8", "-turn", "2s", "-send-timeout", "20s", "-rescue", "15s")
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
	})
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// name matches, in SQL, River's identifier of the process.
func (p *process) name() string { return fmt.Sprintf("%%-%d-%%", p.cmd.Process.Pid) }

// Four processes send. One is stopped for so long that others get its jobs, and then goes
// on. Two are killed. All this happens in the middle of SMTP dialogues.
func TestFleet(t *testing.T) {
	count := 300
	if s := os.Getenv("GOPEC_SCALE"); s != "" {
		var err error
		count, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	s := newSite(t, &pectest.Options{Providers: []pectest.ProviderOptions{
		{Domain: "alfa-pec.example", Accounts: accounts("alfa-pec.example", "a", "b", "x", "y")},
		{Domain: "beta-pec.example", Accounts: accounts("beta-pec.example", "a", "b", "x", "y")},
	}})
	f := s.open(t)
	invoices := manyInvoices(count)
	for some := range slices.Chunk(invoices, 100) {
		f.enqueue(t, some...)
	}

	var workers []*process
	started := make(chan struct{})
	var dots atomic.Int64
	strikes := map[int64]func(){
		int64(count) / 5:     func() { workers[0].signal(syscall.SIGSTOP) },
		2 * int64(count) / 5: func() { workers[1].signal(syscall.SIGKILL) },
		3 * int64(count) / 5: func() { workers[2].signal(syscall.SIGKILL) },
	}
	var last atomic.Pointer[time.Time]
	s.network.Intercept(func(m pectest.Moment) *pectest.Fault {
		if m.Protocol != pectest.SMTP || m.Command != pectest.MomentDot {
			return nil
		}
		n := dots.Add(1)
		if strike := strikes[n]; strike != nil {
			<-started
			strike()
		}
		if n == int64(count)*9/10 {
			now := time.Now()
			last.Store(&now)
		}
		return nil
	})
	for range 4 {
		workers = append(workers, s.process(t))
	}
	close(started)
	begun := time.Now()
	every(t, "nine of ten messages are handed in", func() bool { return last.Load() != nil })
	rate := float64(dots.Load()) / last.Load().Sub(begun).Seconds()

	every(t, "the jobs of the stopped worker are done by others", func() bool {
		return f.rows(t, queued+" AND finalized_at IS NULL AND attempted_by[array_upper(attempted_by, 1)] LIKE $1", workers[0].name()) == 0
	})
	twice := f.rows(t, queued+" AND array_length(attempted_by, 1) > 1 AND attempted_by[1] LIKE $1", workers[0].name())
	require.Positive(t, twice)
	workers[0].signal(syscall.SIGCONT)
	every(t, "every job of sending is done", func() bool {
		return f.rows(t, queued+" AND state <> 'completed'") == 0
	})
	var copies map[envelopeOf]int
	var delivered, uncertain int
	var pending []string
	defer func() {
		if t.Failed() {
			t.Log(strings.Join(pending, "\n"))
			for _, w := range workers {
				t.Logf("worker %d said: %s", w.cmd.Process.Pid, w.output.String())
			}
		}
	}()
	every(t, "every send is final, or uncertain for want of proof", func() bool {
		// The stopped worker goes on and may still send after its job was done by others.
		require.NoError(t, s.network.Idle(t.Context()))
		copies = s.count(t)
		delivered, uncertain, pending = f.results(t, copies)
		return len(pending) == 0
	})
	took := time.Since(begun)
	for _, w := range []*process{workers[0], workers[3]} {
		w.signal(syscall.SIGTERM)
		<-w.exited
		require.True(t, w.cmd.ProcessState.Success(), w.output.String())
	}
	require.Empty(t, workers[3].output.String())
	// The workers are gone, so nothing more can leave. Read here what came last.
	require.NoError(t, s.network.Idle(t.Context()))
	for _, m := range f.mailboxes {
		for _, err := range m.Sync(t.Context()) {
			require.NoError(t, err)
		}
	}
	copies = s.count(t)
	delivered, uncertain, pending = f.results(t, copies)
	require.Empty(t, pending)

	for _, i := range invoices {
		id, err := f.mailboxes[i.Sender].MessageID(t.Context(), i.key())
		require.NoError(t, err, i.Number)
		for _, r := range i.Recipients {
			require.LessOrEqual(t, copies[envelopeOf{r, i.message("").Subject}], 1, "copies of invoice %s", i.Number)
			require.Equal(t, copies[envelopeOf{r, id}], copies[envelopeOf{r, i.message("").Subject}], "invoice %s left as another message", i.Number)
		}
	}
	require.Equal(t, count, delivered+uncertain)
	t.Logf("%d sends of 3 recipients: %d delivered, %d uncertain that never left; %d jobs of the stopped worker were run again; %.1f sends a second, all known after %.0f s",
		count, delivered, uncertain, twice, rate, took.Seconds())
}

func accounts(domain string, names ...string) (all []pectest.Account) {
	for _, name := range names {
		all = append(all, pectest.Account{Address: name + "@" + domain, Password: "secret"})
	}
	return all
}

// manyInvoices returns invoices from four mailboxes, each to three of four others.
func manyInvoices(count int) (all []invoice) {
	senders := []string{"a@alfa-pec.example", "b@alfa-pec.example", "a@beta-pec.example", "b@beta-pec.example"}
	recipients := []string{"x@alfa-pec.example", "y@alfa-pec.example", "x@beta-pec.example", "y@beta-pec.example"}
	for n := range count {
		to := slices.Delete(slices.Clone(recipients), n%4, n%4+1)
		all = append(all, invoice{Sender: senders[n/4%4], Recipients: to, Number: strconv.Itoa(n), Total: "100,00"})
	}
	return all
}

// envelopeOf is a recipient with the Message-ID, or the subject, of an envelope.
type envelopeOf struct{ recipient, what string }

// count counts the envelopes in all mailboxes, by Message-ID and by subject.
func (s *site) count(t *testing.T) map[envelopeOf]int {
	t.Helper()
	counts := map[envelopeOf]int{}
	for _, a := range s.network.Accounts() {
		for _, h := range s.inbox(t, a.Address) {
			if h.Get("X-Trasporto") == "posta-certificata" {
				counts[envelopeOf{a.Address, envelope.NormalizeMessageID(h.Get("X-Riferimento-Message-ID"))}]++
				counts[envelopeOf{a.Address, strings.TrimPrefix(h.Get("Subject"), "POSTA CERTIFICATA: ")}]++
			}
		}
	}
	return counts
}

// results counts the sends that are delivered to all recipients, and those that are
// uncertain and reached nobody. It describes all others in pending.
func (f *fleet) results(t *testing.T, copies map[envelopeOf]int) (delivered, uncertain int, pending []string) {
	t.Helper()
	for _, m := range f.mailboxes {
		for status, err := range m.Find(t.Context(), anySend) {
			require.NoError(t, err)
			require.Empty(t, status.Flags, status.MessageID)
			arrived := 0
			for _, r := range status.Recipients {
				require.LessOrEqual(t, copies[envelopeOf{r.Address, status.MessageID}], 1, status.MessageID)
				arrived += copies[envelopeOf{r.Address, status.MessageID}]
			}
			switch {
			case status.Result == pec.ResultDelivered && arrived == len(status.Recipients):
				delivered++
			case status.Result == pec.ResultUncertain && arrived == 0:
				uncertain++
			default:
				pending = append(pending, fmt.Sprintf("%s is %s with %d copies", status.MessageID, status.Result, arrived))
			}
		}
	}
	return delivered, uncertain, pending
}
