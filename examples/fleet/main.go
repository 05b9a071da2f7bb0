// Fleet sends the PEC of invoices from any number of machines that share one
// PostgreSQL: the same calls as on one machine, run as jobs of River.
//
//	fleet [-db URL] [-config FILE] worker [-sends N] [-mailboxes N] [-turn D] [-send-timeout D] [-rescue D]
//	fleet [-db URL] [-config FILE] enqueue -from ADDRESS -to A,B -number N -total T
//	fleet [-db URL] summary
//
// worker runs jobs until it is interrupted; start as many as you like. enqueue records
// an invoice and the job of sending it, both or neither, in one transaction. summary
// prints what each mailbox waits for. The tables, River's and ours, are made on the way.
//
// The config file names providers and mailboxes (see config.go). What the simulator
// prints when it is ready is one:
//
//	simulator >fleet.json &
//	fleet -db postgres://localhost/pec -config fleet.json worker &
//	fleet -db postgres://localhost/pec -config fleet.json enqueue -from mario@alfa-pec.example -to luigi@beta-pec.example -number 12 -total 100,00
//
// A job may run twice, when its worker died or was only slow. The PEC leaves once all
// the same: its key is the invoice, and whoever records an attempt first makes it.
// The exit status is 0, 1 for trouble, and 2 for wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

var errUsage = errors.New("usage: fleet [-db URL] [-config FILE] worker|enqueue|summary [-help]")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, err)
		return 2
	default:
		fmt.Fprintln(stderr, "fleet:", err)
		return 1
	}
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := flags("fleet", stderr)
	url := set.String("db", os.Getenv("DATABASE_URL"), "the `URL` of the PostgreSQL database")
	file := set.String("config", "", "the JSON `file` with providers and mailboxes")
	if err := parse(set, args); err != nil {
		return err
	}
	commands := map[string]func(context.Context, *fleet, []string, io.Writer, io.Writer) error{
		"worker": worker, "enqueue": enqueue, "summary": summary,
	}
	do := commands[set.Arg(0)]
	if do == nil || *url == "" || *file == "" && set.Arg(0) != "summary" {
		return errUsage
	}
	f, err := open(ctx, *url, *file)
	if err != nil {
		return err
	}
	defer f.close()
	return do(ctx, f, set.Args()[1:], stdout, stderr)
}

func flags(name string, stderr io.Writer) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(stderr)
	return set
}

// parse tells wrong usage from a question for help.
func parse(set *flag.FlagSet, args []string) error {
	err := set.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return err
}
