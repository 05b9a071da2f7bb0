package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gopec/gopec/pec"
)

// There are two queues, so that neither kind of job waits for the other.
const (
	sendQueue    = "pec_send"
	mailboxQueue = "pec_mailbox"
)

// suspendedPause is how long jobs of a suspended mailbox sleep. Trying again costs no login.
const suspendedPause = time.Minute

// sendArgs is the job that sends an invoice. Everything except the key is in the invoice's row.
type sendArgs struct {
	Key     string `json:"key"`
	Invoice int64  `json:"invoice"`
}

func (sendArgs) Kind() string { return "pec_send" }

func (sendArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: sendQueue} }

type sendWorker struct {
	river.WorkerDefaults[sendArgs]
	fleet   *fleet
	timeout time.Duration
}

func (w *sendWorker) Timeout(*river.Job[sendArgs]) time.Duration { return w.timeout }

func (w *sendWorker) Work(ctx context.Context, job *river.Job[sendArgs]) error {
	i, err := w.fleet.findInvoice(ctx, job.Args.Invoice)
	if err != nil {
		return err
	}
	m, err := w.fleet.mailbox(i.Sender)
	if err != nil {
		return err
	}
	return verdict(m.send(ctx, i.message(job.Args.Key)))
}

// verdict returns what to report to River about a send. The job is done once it can do no
// more: the status says what became of the message. If an uncertain attempt turns out not
// to have left, because its worker is alive and reports so, the mailbox's job sends the
// message again.
func verdict(err error) error {
	var (
		suspended *pec.SuspendedError
		failed    *pec.SendError
		malformed *pec.ComposeError
		taken     *pec.KeyError
	)
	switch {
	case errors.As(err, &suspended):
		return river.JobSnooze(suspendedPause)
	case errors.As(err, &malformed), errors.As(err, &taken):
		return river.JobCancel(err) // it would fail again
	case errors.As(err, &failed) && failed.Store == nil &&
		(failed.Outcome.Kind == pec.OutcomeUncertain || failed.Outcome.Kind == pec.OutcomeRefused):
		return nil
	default:
		return err // nil when it was sent; otherwise River tries again after a pause
	}
}

// mailboxArgs is the job that looks after a mailbox. It never ends: after its turn it goes
// back to the end of the queue.
type mailboxArgs struct {
	Mailbox string `json:"mailbox"`
}

func (mailboxArgs) Kind() string { return "pec_mailbox" }

// InsertOpts allows one job per mailbox at a time.
func (mailboxArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: mailboxQueue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

type mailboxWorker struct {
	river.WorkerDefaults[mailboxArgs]
	fleet *fleet
	turn  time.Duration
	log   *slog.Logger
}

func (w *mailboxWorker) Work(ctx context.Context, job *river.Job[mailboxArgs]) error {
	m, err := w.fleet.mailbox(job.Args.Mailbox)
	if err != nil {
		return err
	}
	turn, cancel := context.WithTimeout(ctx, w.turn)
	defer cancel()
	// Watch repeats Retry, Sync, SearchNotices and Wait.
	for e, err := range m.Watch(turn) {
		var suspended *pec.SuspendedError
		switch {
		case errors.As(err, &suspended):
			return river.JobSnooze(suspendedPause)
		case err != nil && turn.Err() == nil:
			return err
		case e.Trouble != nil:
			w.log.WarnContext(ctx, "fleet: mailbox in trouble", slog.Int64("job", job.ID), slog.Any("error", e.Trouble))
		case e.Inbound != nil:
			// Here an application handles what others sent to the mailbox.
			w.log.InfoContext(ctx, "fleet: an envelope has come", slog.Int64("job", job.ID))
		}
	}
	return river.JobSnooze(0)
}
