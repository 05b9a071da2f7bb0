// Watch reads a mailbox until it is interrupted, and prints one JSON object for each notice
// and envelope that arrives, proven or not (receipt.Report).
//
//	watch [-preset NAME | -smtp HOST:PORT -imap HOST:PORT] -user LOGIN [-from ADDRESS]
//	      [-password-env VAR] [-ca FILE] [-anchors FILE] [-store FILE.db] [-folder F]...
//
// The field file is the folder and UID of the message. With -store a second run continues
// where the first ended, messages that wait to be sent are sent, and what the notices say
// is kept for the program status.
//
// The exit status is 0 when interrupted, 2 for wrong usage or trouble with files, and 4 when
// the provider refused the login or the mailbox is suspended.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/receipt"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set := program.Flags("watch", account.Usage)
	flags := account.Register(set)
	if exit, goOn := program.Parse(set, args, stderr); !goOn {
		return exit
	}
	a, err := flags.Open(ctx)
	if err != nil {
		return program.Fail(stderr, "watch", err)
	}
	defer a.Close()
	err = watch(ctx, a.Client, json.NewEncoder(stdout), stderr)
	var suspended *pec.SuspendedError
	switch {
	case ctx.Err() != nil:
		return 0
	case errors.As(err, &suspended):
		program.Fail(stderr, "watch", err)
		return 4
	default:
		return program.Fail(stderr, "watch", err)
	}
}

func watch(ctx context.Context, c *pec.Client, out *json.Encoder, stderr io.Writer) error {
	for e, err := range c.Watch(ctx) {
		switch {
		case err != nil:
			return err
		case e.Trouble != nil:
			program.Fail(stderr, "watch: trying again", e.Trouble)
			continue
		case e.Unreadable != nil:
			program.Fail(stderr, "watch: set aside", e.Unreadable)
			continue
		case e.Raw == nil:
			continue // an attempt to send
		}
		var unproven error
		if e.Unverified != nil {
			unproven = e.Unverified
		}
		place := fmt.Sprintf("%s/%d", e.Cursor.Folder, e.Cursor.UID)
		report, err := receipt.NewReport(place, e.Proven, unproven)
		if err != nil {
			return err
		}
		if err := out.Encode(report); err != nil {
			return err
		}
	}
	return nil
}
