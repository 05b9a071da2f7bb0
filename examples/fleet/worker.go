package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/gopec/gopec/examples/internal/program"
)

// pace holds the settings of a worker process.
type pace struct {
	sends     int           // messages at a time
	mailboxes int           // mailboxes at a time; 0 means as many as within requires
	within    time.Duration // the longest time until a mailbox has its next turn
	turn      time.Duration // how long a mailbox is looked after at a time
	timeout   time.Duration // the longest time for one send
	rescue    time.Duration // the time after which the worker of a job counts as dead
}

// needed returns how many mailboxes must be looked after at a time, so that each of count
// mailboxes has its next turn within p.within.
func (p pace) needed(count int) int {
	turns := max(int(p.within/p.turn), 1) // that one place gives in p.within
	return max((count+turns-1)/turns, 1)
}

// round returns how long it takes until each of count mailboxes has had its turn.
func (p pace) round(count int) time.Duration {
	return time.Duration((count+p.mailboxes-1)/p.mailboxes) * p.turn
}

// warn logs a warning when count mailboxes wait longer than p.within for their turn.
func (p pace) warn(ctx context.Context, log *slog.Logger, count int) {
	if round := p.round(count); round > p.within {
		log.WarnContext(ctx, "fleet: with this worker alone each mailbox waits too long for its turn",
			slog.Duration("round", round), slog.Duration("within", p.within), slog.Int("mailboxes", p.mailboxes), slog.Int("needed", p.needed(count)))
	}
}

// worker runs jobs until ctx ends, and then finishes the jobs that it has begun.
func worker(ctx context.Context, f *fleet, args []string, _, stderr io.Writer) error {
	set := program.Flags("fleet worker", "[-sends N] [-mailboxes N] [-within D] [-turn D] [-send-timeout D] [-rescue D]")
	var p pace
	set.IntVar(&p.sends, "sends", 8, "how `many` messages to send at a time; of one mailbox it is one")
	set.IntVar(&p.mailboxes, "mailboxes", 0, "how `many` mailboxes to look after at a time; 0 for as many as -within needs")
	set.DurationVar(&p.within, "within", 2*time.Minute, "how long until each mailbox has its turn again, with this worker alone")
	set.DurationVar(&p.turn, "turn", 20*time.Second, "how long to look after a mailbox before another has its turn")
	set.DurationVar(&p.timeout, "send-timeout", 30*time.Minute, "how long sending may take: a server may think for ten minutes, and whoever hangs up then makes a send uncertain")
	set.DurationVar(&p.rescue, "rescue", 2*time.Minute, "after this time, and for sending -send-timeout, a job is run again; longer than -turn")
	if err := parse(set, args, stderr); err != nil {
		return err
	}
	switch {
	case set.NArg() > 0:
		return fmt.Errorf("%q is not a flag", set.Arg(0))
	case p.sends < 1 || p.mailboxes < 0 || p.within <= 0 || p.turn <= 0 || p.timeout <= 0:
		return errors.New("-sends, -within, -turn and -send-timeout must be greater than zero, and -mailboxes must not be negative")
	case p.rescue <= p.turn:
		return errors.New("-rescue must be longer than -turn")
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if p.mailboxes == 0 {
		p.mailboxes = p.needed(len(f.mailboxes))
	}
	p.warn(ctx, log, len(f.mailboxes))
	jobs, err := newWorker(f, p, log)
	if err != nil {
		return err
	}
	if err := jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	return jobs.Stop(context.WithoutCancel(ctx))
}

func newWorker(f *fleet, p pace, log *slog.Logger) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	err := errors.Join(
		river.AddWorkerSafely(workers, &sendWorker{fleet: f, timeout: p.timeout}),
		river.AddWorkerSafely(workers, &mailboxWorker{fleet: f, turn: p.turn, log: log}),
	)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return river.NewClient(riverpgxv5.New(f.pool), &river.Config{
		ID:      fmt.Sprintf("%s-%d-%d", host, os.Getpid(), time.Now().Unix()),
		Logger:  log,
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			sendQueue: {MaxWorkers: p.sends}, mailboxQueue: {MaxWorkers: p.mailboxes},
		},
		PeriodicJobs:         f.rounds(),
		JobTimeout:           p.rescue,
		RescueStuckJobsAfter: p.rescue,
	})
}

// rounds returns the periodic jobs that insert a job for each mailbox. A mailbox that has a
// job gets no second one.
func (f *fleet) rounds() []*river.PeriodicJob {
	var jobs []*river.PeriodicJob
	for _, m := range f.mailboxes {
		jobs = append(jobs, river.NewPeriodicJob(river.PeriodicInterval(time.Minute),
			func() (river.JobArgs, *river.InsertOpts) { return mailboxArgs{Mailbox: m.address}, nil },
			&river.PeriodicJobOpts{RunOnStart: true}))
	}
	return jobs
}
