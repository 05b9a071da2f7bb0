// Sdi sends electronic invoices to the tax agency's exchange system (Sistema di
// Interscambio) by PEC, and keeps its answers.
//
//	sdi [-preset NAME | -smtp HOST:PORT -imap HOST:PORT] -user LOGIN [-from ADDRESS]
//	    [-password-env VAR] [-ca FILE] [-anchors FILE] -store FILE.db [-folder F]...
//	    -answers FOLDER [-to ADDRESS] [IT01234567890_00001.xml...]
//
// It sends each invoice once, however often it is run. Then it waits for answers about all
// sent invoices until it is interrupted. It keeps answers in their folder under their own
// names. The folder also keeps the address that the first answer came from: later invoices
// go there.
//
// It prints two kinds of lines. A PEC line is about the message to the exchange system: its
// delivery is not the delivery of the invoice. An SdI line is the exchange system's answer
// about the invoice.
//
// The exit status is 0 when interrupted, and 2 for wrong usage or trouble.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set := program.Flags("sdi", account.Usage+" -answers FOLDER [-to ADDRESS] [IT01234567890_00001.xml...]")
	flags := account.Register(set)
	to := set.String("to", "sdi01@pec.fatturapa.it", "where invoices go until the exchange system has answered: an `address` of its domain")
	folder := set.String("answers", "", "the `folder` for answers, which must exist; required")
	if exit, goOn := program.ParseWithArguments(set, args, stderr); !goOn {
		return exit
	}
	if *folder == "" || flags.Store == "" {
		return program.Fail(stderr, "sdi", errors.New("-store and -answers are required"))
	}
	if _, err := os.ReadDir(*folder); err != nil {
		return program.Fail(stderr, "sdi", err)
	}
	if a, err := mail.ParseAddress(*to); err != nil || a.Address != *to {
		return program.Fail(stderr, "sdi", fmt.Errorf("-to: %q is not an address", *to))
	}
	a, err := flags.Open(ctx)
	if err == nil {
		defer a.Close()
		x := &exchange{Account: a, first: *to, folder: *folder}
		err = x.run(ctx, set.Args(), stdout, stderr)
	}
	if err != nil && ctx.Err() == nil {
		return program.Fail(stderr, "sdi", err)
	}
	return 0
}

// run sends the invoices, and then follows them and all earlier ones until ctx ends.
func (x *exchange) run(ctx context.Context, invoices []string, stdout, stderr io.Writer) error {
	for _, path := range invoices {
		id, err := x.send(ctx, path)
		if err == nil {
			err = x.show(ctx, id, stdout)
		}
		if err != nil {
			return err
		}
	}
	for e, err := range x.Watch(ctx) {
		switch {
		case err != nil:
		case e.Trouble != nil:
			program.Fail(stderr, "sdi: trying again", e.Trouble)
		case e.Inbound != nil:
			var taken []answer
			taken, err = x.take(ctx, e.Inbound)
			for _, a := range taken {
				fmt.Fprintf(stdout, "SdI  %s  %s\n", a.file, kinds[a.kind])
			}
		case e.MessageID != "":
			err = x.show(ctx, e.MessageID, stdout)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// show prints how far the PEC of an invoice got: to the exchange system, not to the
// customer. It prints nothing about the other messages that a mailbox sends.
func (x *exchange) show(ctx context.Context, id string, stdout io.Writer) error {
	status, err := x.Status(ctx, id)
	if err != nil {
		return err
	}
	if !invoiceName.MatchString(status.Key) {
		return nil
	}
	for _, r := range status.Recipients {
		fmt.Fprintf(stdout, "PEC  %s  %s  %s %s\n", status.Subject, r.Address, r.State, r.Failure.Text)
	}
	return nil
}
