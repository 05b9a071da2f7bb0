package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
)

// summary prints how many sends of each mailbox are open, overdue and uncertain, and whether
// the mailbox is suspended.
func summary(ctx context.Context, f *fleet, args []string, stdout, stderr io.Writer) error {
	set := program.Flags("fleet summary", "")
	if err := parse(set, args, stderr); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%q is not a flag", set.Arg(0))
	}
	mailboxes, err := f.store.Mailboxes(ctx)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "mailbox\topen\toverdue\tuncertain\tsuspended")
	for _, mailbox := range mailboxes {
		ledger, err := pec.NewLedger(mailbox, f.store, nil)
		if err != nil {
			return err
		}
		fmt.Fprint(out, mailbox)
		for _, filter := range []pec.Filter{pec.FilterOpen, pec.FilterOverdue, pec.FilterUncertain} {
			n, err := count(ctx, ledger, filter)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "\t%d", n)
		}
		suspended, err := ledger.Suspended(ctx)
		if err != nil {
			return err
		}
		if suspended == nil {
			fmt.Fprintln(out, "\tno")
		} else {
			fmt.Fprintf(out, "\tby %s: %q\n", suspended.Server, suspended.Reply)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	var waiting, given int
	err = f.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE finalized_at IS NULL), count(*) FILTER (WHERE state IN ('cancelled', 'discarded'))
		FROM river_job WHERE kind = $1`, sendArgs{}.Kind()).Scan(&waiting, &given)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "jobs: %d of sending are waiting or under way, %d were given up\n", waiting, given)
	return err
}

func count(ctx context.Context, ledger *pec.Ledger, filter pec.Filter) (n int, err error) {
	for _, err := range ledger.Find(ctx, pec.Query{Filter: filter}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
