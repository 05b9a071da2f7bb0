package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// job returns the job of an invoice.
func (f *fleet) job(t *testing.T, number string) *river.Job[sendArgs] {
	t.Helper()
	id := f.rows(t, "SELECT id FROM fleet_invoices WHERE number = $1", number)
	return &river.Job[sendArgs]{Args: sendArgs{Key: bill(number).key(), Invoice: int64(id)}}
}

// work runs a job, as a worker process would.
func (f *fleet) work(ctx context.Context, job *river.Job[sendArgs]) error {
	return (&sendWorker{fleet: f, timeout: time.Minute}).Work(ctx, job)
}

// copies counts the envelopes with an invoice in a mailbox.
func (s *site) copies(t *testing.T, address, number string) (n int) {
	t.Helper()
	for _, raw := range s.inbox(t, address) {
		if raw.Get("Subject") == "POSTA CERTIFICATA: "+bill(number).message("").Subject {
			n++
		}
	}
	return n
}

func TestVerdict(t *testing.T) {
	failed := func(kind pec.OutcomeKind, store error) error {
		return &pec.SendError{MessageID: "<1@x>", Outcome: pec.Outcome{Kind: kind}, Store: store}
	}
	var snooze *river.JobSnoozeError
	var cancel *river.JobCancelError
	require.NoError(t, verdict(nil))
	require.NoError(t, verdict(failed(pec.OutcomeUncertain, nil)))
	require.NoError(t, verdict(failed(pec.OutcomeRefused, nil)))
	require.ErrorAs(t, verdict(&pec.SuspendedError{}), &snooze)
	require.ErrorAs(t, verdict(&pec.SendError{Outcome: pec.Outcome{Kind: pec.OutcomeAuthentication, Err: &pec.SuspendedError{}}}), &snooze)
	require.ErrorAs(t, verdict(&pec.ComposeError{}), &cancel)
	require.ErrorAs(t, verdict(&pec.KeyError{}), &cancel)
	broken := errors.New("the database is gone")
	for _, again := range []error{
		failed(pec.OutcomeTemporary, nil), failed(pec.OutcomeUncertain, broken), failed(pec.OutcomeSubmitted, broken), &pec.StoreError{Op: "write", Err: broken},
	} {
		err := verdict(again)
		require.ErrorIs(t, err, again)
		require.False(t, errors.As(err, &snooze) || errors.As(err, &cancel))
	}
}

func TestPace(t *testing.T) {
	p := pace{turn: 20 * time.Second, within: 2 * time.Minute}
	for count, needed := range map[int]int{1: 1, 6: 1, 7: 2, 300: 50, 301: 51} {
		require.Equal(t, needed, p.needed(count))
		p.mailboxes = needed
		require.LessOrEqual(t, p.round(count), p.within)
	}
	p.mailboxes = 8
	require.Equal(t, 38*20*time.Second, p.round(300), "the 12.5 minutes of eight at a time")
	p.turn = 5 * time.Minute
	require.Equal(t, 300, p.needed(300), "a turn that is too long: all at a time")
}

// A worker with too few places logs how many it needs.
func TestPaceWarns(t *testing.T) {
	for places, warns := range map[int]bool{8: true, 49: true, 50: false} {
		var out strings.Builder
		p := pace{turn: 20 * time.Second, within: 2 * time.Minute, mailboxes: places}
		p.warn(t.Context(), slog.New(slog.NewTextHandler(&out, nil)), 300)
		require.Equal(t, warns, strings.Contains(out.String(), "needed=50"), out.String())
	}
}

// A worker stops with the message on the wire, for longer than River waits, and another
// worker runs the job again.
func TestARescuedJobOfALiveWorkerSendsOnce(t *testing.T) {
	s := newSite(t, nil)
	slow, rescuer := s.open(t), s.open(t)
	slow.enqueue(t, bill("1"))
	onTheWire, goOn := make(chan struct{}), make(chan struct{})
	var dots atomic.Int32
	defer s.network.Intercept(func(m pectest.Moment) *pectest.Fault {
		if m.Protocol == pectest.SMTP && m.Command == pectest.MomentDot && dots.Add(1) == 1 {
			close(onTheWire)
			<-goOn
		}
		return nil
	})()
	first := make(chan error, 1)
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	job := slow.job(t, "1")
	go func() { first <- slow.work(t.Context(), job) }()
	<-onTheWire
	// The second worker cannot know what became of the first attempt: the job is done, and
	// the status is uncertain.
	require.NoError(t, rescuer.work(t.Context(), job))
	id, err := rescuer.mailboxes[mario].MessageID(t.Context(), bill("1").key())
	require.NoError(t, err)
	status, err := rescuer.mailboxes[mario].Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.ResultUncertain, status.Result)
	release()
	require.NoError(t, <-first)
	require.NoError(t, rescuer.work(t.Context(), job))
	require.NoError(t, s.network.Idle(t.Context()))
	require.Equal(t, 1, s.copies(t, luigi, "1"))
}

// All workers run every job at the same time.
func TestWorkersRaceForEveryJob(t *testing.T) {
	s := newSite(t, nil)
	workers := []*fleet{s.open(t), s.open(t), s.open(t)}
	numbers := strings.Split("1 2 3 4 5 6 7 8", " ")
	for _, number := range numbers {
		workers[0].enqueue(t, bill(number))
		job := workers[0].job(t, number)
		var group sync.WaitGroup
		for _, w := range workers {
			group.Go(func() {
				if err := w.work(t.Context(), job); err != nil {
					t.Errorf("invoice %s: %v", number, err)
				}
			})
		}
		group.Wait()
	}
	require.NoError(t, s.network.Idle(t.Context()))
	for _, number := range numbers {
		require.Equal(t, 1, s.copies(t, luigi, number), number)
	}
}

func TestATemporaryErrorIsForRiverToRepeat(t *testing.T) {
	s := newSite(t, nil)
	f := s.open(t)
	f.enqueue(t, bill("1"))
	remove := s.network.Intercept(func(m pectest.Moment) *pectest.Fault {
		if strings.HasPrefix(m.Command, "RCPT") {
			return &pectest.Fault{Reply: "451 4.3.2 come back later\r\n"}
		}
		return nil
	})
	var failed *pec.SendError
	require.ErrorAs(t, f.work(t.Context(), f.job(t, "1")), &failed)
	require.Equal(t, pec.OutcomeTemporary, failed.Outcome.Kind)
	remove()
	require.NoError(t, f.work(t.Context(), f.job(t, "1")))
	require.NoError(t, s.network.Idle(t.Context()))
	require.Equal(t, 1, s.copies(t, luigi, "1"))
}

// One refused login puts every job of the mailbox to sleep, in all workers.
func TestASuspendedMailboxIsLeftAlone(t *testing.T) {
	s := newSite(t, nil)
	provider := s.network.ProviderOf(mario)
	require.NoError(t, provider.SetPassword(mario, "another"))
	workers := []*fleet{s.open(t), s.open(t)}
	workers[0].enqueue(t, bill("1"), bill("2"))
	var snooze *river.JobSnoozeError
	for _, number := range []string{"1", "2"} {
		for _, w := range workers {
			require.ErrorAs(t, w.work(t.Context(), w.job(t, number)), &snooze)
		}
	}
	watch := &mailboxWorker{fleet: workers[1], turn: time.Minute}
	require.ErrorAs(t, watch.Work(t.Context(), &river.Job[mailboxArgs]{JobRow: &rivertype.JobRow{}, Args: mailboxArgs{Mailbox: mario}}), &snooze)
	require.Equal(t, suspendedPause, snooze.Duration)
	require.Equal(t, 1, provider.RefusedLogins(mario))
	_, stdout, _ := s.run(t.Context(), "summary")
	require.Contains(t, stdout, "by 127.0.0.1:")
}

// The row changed after its PEC was begun, but the key still stands for the first content.
func TestAChangedInvoiceIsNotSentUnderTheSameKey(t *testing.T) {
	s := newSite(t, nil)
	f := s.open(t)
	f.enqueue(t, bill("1"))
	require.NoError(t, f.work(t.Context(), f.job(t, "1")))
	_, err := f.pool.Exec(t.Context(), "UPDATE fleet_invoices SET total = '999,00'")
	require.NoError(t, err)
	var cancel *river.JobCancelError
	require.ErrorAs(t, f.work(t.Context(), f.job(t, "1")), &cancel)
	require.NoError(t, s.network.Idle(t.Context()))
	require.Equal(t, 1, s.copies(t, luigi, "1"))
}
