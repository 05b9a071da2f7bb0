// Fleet sends invoices by PEC from any number of machines that share one PostgreSQL. It
// makes the same calls as a program on one machine, as jobs of River.
//
//	fleet [-db URL] [-config FILE] worker [-sends N] [-mailboxes N] [-turn D] [-send-timeout D] [-rescue D]
//	fleet [-db URL] [-config FILE] enqueue -from ADDRESS -to A,B -number N -total T
//	fleet [-db URL] summary
//
// worker runs jobs until it is interrupted; start as many as you like. enqueue records an
// invoice and the job that sends it in one transaction. summary prints what each mailbox
// waits for. The program makes all tables, River's and its own.
//
// The config file names providers and mailboxes (see config.go). The line that the
// simulator prints when it is ready is a config file:
//
//	simulator >fleet.json &
//	fleet -db postgres://localhost/pec -config fleet.json worker &
//	fleet -db postgres://localhost/pec -config fleet.json enqueue -from mario@alfa-pec.example -to luigi@beta-pec.example -number 12 -total 100,00
//
// A job may run twice, because its worker died or was slow. The PEC still leaves only once:
// its key is the invoice, and whoever records an attempt first makes it. The exit status is
// 0, or 2 for wrong usage or trouble.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gopec/gopec/examples/internal/program"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	return program.Fail(stderr, "fleet", err)
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := program.Flags("fleet", "[-db URL] [-config FILE] worker|enqueue|summary [-help]")
	url := set.String("db", os.Getenv("DATABASE_URL"), "the `URL` of the PostgreSQL database")
	file := set.String("config", "", "the JSON `file` with providers and mailboxes")
	if err := parse(set, args, stderr); err != nil {
		return err
	}
	commands := map[string]func(context.Context, *fleet, []string, io.Writer, io.Writer) error{
		"worker": worker, "enqueue": enqueue, "summary": summary,
	}
	do := commands[set.Arg(0)]
	switch {
	case do == nil:
		return fmt.Errorf("%q is not a command; there are worker, enqueue and summary", set.Arg(0))
	case *url == "":
		return errors.New("-db, or the environment variable DATABASE_URL, is required")
	case *file == "" && set.Arg(0) != "summary":
		return errors.New("-config is required")
	}
	f, err := open(ctx, *url, *file)
	if err != nil {
		return err
	}
	defer f.close()
	return do(ctx, f, set.Args()[1:], stdout, stderr)
}

// parse reads flags. After -help it prints the usage and returns flag.ErrHelp.
func parse(set *flag.FlagSet, args []string, stderr io.Writer) error {
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		set.Usage()
	}
	return err
}
