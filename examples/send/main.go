// Send sends one PEC and follows it to the end.
//
//	send [-preset NAME | -smtp HOST:PORT -imap HOST:PORT] -user LOGIN [-from ADDRESS]
//	     [-password-env VAR] [-ca FILE] [-anchors FILE] -to A,B [-cc C] [-reply-to R]
//	     [-subject S] [-body FILE|-] [-attach FILE]... [-eml FILE]
//	     [-receipt full|brief|concise] [-key KEY] [-store FILE.db] [-folder F]...
//	     [-require accepted|delivered] [-allow-ordinary] [-timeout D] [-dry-run] [-json]
//
// With -store and -key it sends once, however often it is run: a second run continues where
// the first ended. On a terminal it shows a table that changes. In a pipe it prints one line
// per change, and with -json one JSON object per change and the result as the last object.
// What keeps the message from being settled is printed on standard error; it is also the
// errorText in the result of recipients for which no notice says why. -dry-run logs in and
// checks the message, but sends nothing.
//
// The exit status is
//
//	0  when every recipient is as -require demands
//	1  when some recipient is not
//	2  for wrong usage, or trouble with files or the network
//	3  when the timeout passed before everything was final, or the send is uncertain or in conflict
//	4  when the provider refused the login, or the mailbox is suspended
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
)

const (
	exitAsRequired = 0
	exitNotAll     = 1
	exitTrouble    = 2
	exitNotFinal   = 3
	exitLogin      = 4
)

func main() {
	ctx := program.Context()
	os.Exit(run(ctx, os.Args[1:], program.Reader(ctx, os.Stdin), os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	r, exit := parse(args, stdin, stderr)
	if r == nil {
		return exit
	}
	a, err := r.account.Open(ctx)
	if err != nil {
		return program.Fail(stderr, "send", err)
	}
	defer a.Close()
	exit, err = r.run(ctx, a, newDisplay(stdout, stderr, r.json))
	if err != nil {
		program.Fail(stderr, "send", err)
	}
	return exit
}

// run does what the flags ask for and returns the exit status.
func (r *request) run(ctx context.Context, a *account.Account, d display) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if r.dryRun {
		return r.rehearse(ctx, a, d)
	}
	id, err := r.send(ctx, a)
	if id == "" {
		return exitOf(err), err
	}
	f := &follower{account: a, display: d, id: id}
	var failed *pec.SendError
	switch {
	case errors.As(err, &failed):
		// The status says whether it is sent again.
		f.report(failed)
		err = f.follow(ctx)
	case err == nil:
		err = f.follow(ctx)
	}
	return r.end(ctx, f, err)
}

// lastLook is how long reading the last status may take.
const lastLook = 30 * time.Second

// end shows what became of the message, whatever ended the wait, and returns the exit
// status.
func (r *request) end(ctx context.Context, f *follower, err error) (int, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	status, readErr := f.show(ctx)
	if readErr != nil {
		if err == nil || exitOf(err) == exitNotFinal {
			err = readErr // it matters more than the end of the wait
		}
		return exitOf(err), fmt.Errorf("message %s: %w", f.id, err)
	}
	exit := exitOf(err)
	if err == nil || exit == exitNotFinal {
		exit = r.verdict(status)
	}
	switch {
	case exit == exitNotFinal && errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("after %s not everything is final: %w", r.timeout, err)
	case exit == exitNotFinal && err != nil:
		err = fmt.Errorf("interrupted before everything is final: %w", err)
	}
	if f.last == nil {
		f.last = err
	}
	if exit == exitAsRequired || exit == exitNotAll {
		err = nil
	}
	why, whyErr := f.why(ctx)
	if err := errors.Join(whyErr, f.display.last(status, why)); err != nil {
		return exitTrouble, err
	}
	return exit, err
}

// send sends the message, or continues with the one that has the key.
func (r *request) send(ctx context.Context, a *account.Account) (string, error) {
	message, raw, files, err := r.compose()
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	switch {
	case err != nil:
		return "", err
	case raw != nil:
		return a.SendRaw(ctx, *raw)
	default:
		return a.Send(ctx, message)
	}
}

// exitOf returns the exit status for an error.
func exitOf(err error) int {
	var suspended *pec.SuspendedError
	var refused *pec.LoginError
	switch {
	case err == nil:
		return exitAsRequired
	case errors.As(err, &suspended), errors.As(err, &refused):
		return exitLogin
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return exitNotFinal
	default:
		return exitTrouble
	}
}

// verdict returns the exit status for what became of the message.
func (r *request) verdict(s pec.Status) int {
	if s.Result == pec.ResultUncertain || s.Has(pec.FlagConflict) {
		return exitNotFinal
	}
	exit := exitAsRequired
	for _, recipient := range s.Recipients {
		switch state := recipient.State; {
		case r.satisfied(state):
		case state.Final():
			exit = max(exit, exitNotAll)
		default:
			exit = exitNotFinal
		}
	}
	return exit
}

// satisfied reports whether a recipient in this state is as required.
func (r *request) satisfied(state pec.State) bool {
	switch state {
	case pec.StateDelivered:
		return true
	case pec.StateOrdinary:
		return r.allowOrdinary
	case pec.StateAccepted, pec.StateDelayed:
		return r.require == "accepted"
	default:
		return false
	}
}
