// Status prints what became of the messages in a store.
//
//	status -store FILE.db [-key K | -open | -overdue | -uncertain] [-json]
//
// Without -key or a filter it prints every message of every mailbox. With -json it prints
// one JSON object per line. The exit status is 0; 1 when no message has the key; 2 for
// wrong usage or a store that cannot be read.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set := program.Flags("status", "-store FILE.db [-key K | -open | -overdue | -uncertain] [-json]")
	file := set.String("store", "", "the SQLite `file`; required")
	key := set.String("key", "", "the message sent under this `name`")
	chosen := map[pec.Filter]*bool{
		pec.FilterOpen:      set.Bool("open", false, "messages of which something is still awaited"),
		pec.FilterOverdue:   set.Bool("overdue", false, "messages whose last notice is missed"),
		pec.FilterUncertain: set.Bool("uncertain", false, "messages of which nobody knows whether they left"),
	}
	asJSON := set.Bool("json", false, "print one JSON object a message")
	if exit, goOn := program.Parse(set, args, stderr); !goOn {
		return exit
	}
	query, choices := pec.Query{}, 0
	for filter, on := range chosen {
		if *on {
			query.Filter = filter
			choices++
		}
	}
	if *key != "" {
		choices++
	}
	switch {
	case *file == "":
		return program.Fail(stderr, "status", errors.New("-store is required"))
	case choices > 1:
		return program.Fail(stderr, "status", errors.New("only one of -key, -open, -overdue and -uncertain can be used"))
	}
	print := printLines(stdout)
	if *asJSON {
		print = printJSON(stdout)
	}
	found, err := show(ctx, *file, *key, query, print)
	switch {
	case err != nil:
		return program.Fail(stderr, "status", err)
	case *key != "" && !found:
		fmt.Fprintf(stderr, "status: nothing was sent under %q\n", *key)
		return 1
	}
	return 0
}

// show prints the messages of every mailbox that the flags ask for.
func show(ctx context.Context, file, key string, q pec.Query, print func(pec.Status) error) (found bool, err error) {
	store, closer, err := account.ReadStore(ctx, file)
	if err != nil {
		return false, err
	}
	defer closer.Close()
	mailboxes, err := store.Mailboxes(ctx)
	if err != nil {
		return false, err
	}
	for _, mailbox := range mailboxes {
		ledger, err := pec.NewLedger(mailbox, store, nil)
		if err != nil {
			return found, err
		}
		for status, err := range choose(ctx, ledger, key, q) {
			if err != nil {
				return found, err
			}
			found = true
			if err := print(status); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

func choose(ctx context.Context, l *pec.Ledger, key string, q pec.Query) iter.Seq2[pec.Status, error] {
	if key == "" {
		return l.Find(ctx, q)
	}
	return func(yield func(pec.Status, error) bool) {
		id, err := l.MessageID(ctx, key)
		if errors.Is(err, pec.ErrUnknownSend) {
			return
		}
		var status pec.Status
		if err == nil {
			status, err = l.Status(ctx, id)
		}
		yield(status, err)
	}
}

func printLines(out io.Writer) func(pec.Status) error {
	return func(s pec.Status) error {
		if _, err := fmt.Fprintf(out, "%s  %s  %s  %q %v\n", s.Begun.Format(time.DateTime), s.MessageID, s.Result, s.Subject, s.Flags); err != nil {
			return err
		}
		for _, r := range s.Recipients {
			if _, err := fmt.Fprintf(out, "  %-32q %-10s %s %q\n", r.Address, r.State, stamp(r.Time), r.Failure.Text); err != nil {
				return err
			}
		}
		return nil
	}
}

type statusObject struct {
	Mailbox    string            `json:"mailbox"`
	Key        string            `json:"key"`
	MessageID  string            `json:"messageID"`
	CertID     string            `json:"certID"`
	Subject    string            `json:"subject"`
	Result     pec.Result        `json:"result"`
	Settled    bool              `json:"settled"`
	Begun      string            `json:"begun"`
	SentAt     string            `json:"sentAt"`
	Flags      []pec.Flag        `json:"flags"`
	Recipients []recipientObject `json:"recipients"`
}

type recipientObject struct {
	Address  string `json:"address"`
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Code     string `json:"code"`
	Text     string `json:"errorText"`
	Time     string `json:"time"`
	Provider string `json:"provider"`
	Evidence string `json:"evidence"`
}

func printJSON(out io.Writer) func(pec.Status) error {
	encoder := json.NewEncoder(out)
	return func(s pec.Status) error {
		object := statusObject{
			Mailbox: s.Sender, Key: s.Key, MessageID: s.MessageID, CertID: s.CertID, Subject: s.Subject, Result: s.Result,
			Settled: s.Settled, Begun: stamp(s.Begun), SentAt: stamp(s.SentAt), Flags: append([]pec.Flag{}, s.Flags...),
		}
		for _, r := range s.Recipients {
			object.Recipients = append(object.Recipients, recipientObject{
				Address: r.Address, State: string(r.State), Cause: string(r.Failure.Cause), Code: r.Failure.Code, Text: r.Failure.Text,
				Time: stamp(r.Time), Provider: r.Provider, Evidence: r.Evidence.String(),
			})
		}
		return encoder.Encode(object)
	}
}

// stamp formats a time with its own offset; "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
