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

// The queues are apart, so that neither kind of job waits for the other.
const (
	sendQueue    = "pec_send"
	mailboxQueue = "pec_mailbox"
)

// suspendedPause is how long jobs of a suspended mailbox sleep. Asking costs no login.
const suspendedPause = time.Minute

// sendArgs is the job of sending an invoice. All but the key is in its row.
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

// verdict is what River is told of a send. A job is done once this worker can do no
// more for it: what it led to is for the status to say. Where an uncertain attempt turns
// out not to have left, since the worker that made it is alive, the mailbox's job offers
// the message again.
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
		return river.JobCancel(err) // it will be no better the next time
	case errors.As(err, &failed) && failed.Store == nil &&
		(failed.Outcome.Kind == pec.OutcomeUncertain || failed.Outcome.Kind == pec.OutcomeRefused):
		return nil
	default:
		return err // sent, or to be tried again after River's pause
	}
}

// mailboxArgs is the job of looking after a mailbox. It never ends: when its turn is
// over it goes back to the end of the queue.
type mailboxArgs struct {
	Mailbox string `json:"mailbox"`
}

func (mailboxArgs) Kind() string { return "pec_mailbox" }

// InsertOpts let one mailbox have one job at a time.
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
	// Watch is Retry, Sync, SearchNotices and Wait, over and over.
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
			// Here an application takes what others have sent to the mailbox.
			w.log.InfoContext(ctx, "fleet: an envelope has come", slog.Int64("job", job.ID))
		}
	}
	return river.JobSnooze(0)
}
