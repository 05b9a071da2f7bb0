package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/gopec/gopec/examples/internal/program"
)

// enqueue records one invoice and the job that sends it.
func enqueue(ctx context.Context, f *fleet, args []string, _, stderr io.Writer) error {
	set := program.Flags("fleet enqueue", "-from ADDRESS -to A,B -number N [-total T]")
	i := invoice{}
	set.StringVar(&i.Sender, "from", "", "the `address` of the mailbox that sends")
	to := set.String("to", "", "the `addresses` of the recipients, with commas")
	set.StringVar(&i.Number, "number", "", "the invoice's `number`, which no other of this mailbox has")
	set.StringVar(&i.Total, "total", "", "the `amount` in euro")
	if err := parse(set, args, stderr); err != nil {
		return err
	}
	switch {
	case set.NArg() > 0:
		return fmt.Errorf("%q is not a flag", set.Arg(0))
	case i.Sender == "" || *to == "" || i.Number == "":
		return errors.New("-from, -to and -number are required")
	}
	i.Recipients = strings.Split(*to, ",")
	m, err := f.mailbox(i.Sender)
	if err != nil {
		return err
	}
	// It is better to report a bad message now than to find it among the cancelled jobs.
	if _, err := m.Check(ctx, i.message(i.key())); err != nil {
		return err
	}
	jobs, err := river.NewClient(riverpgxv5.New(f.pool), &river.Config{})
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error { return i.enqueueIn(ctx, tx, jobs) })
}
