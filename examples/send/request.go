package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/receipt"
)

// request holds the flags.
type request struct {
	account       *account.Flags
	stdin         io.Reader
	to, cc        account.List
	replyTo       string
	subject       string
	body, eml     string
	attach        account.List
	receipt       string
	key           string
	require       string
	allowOrdinary bool
	timeout       time.Duration
	dryRun, json  bool
}

// parse reads the flags. It returns nil and the exit status when the program must end.
func parse(args []string, stdin io.Reader, stderr io.Writer) (r *request, exit int) {
	set := program.Flags("send", account.Usage+" -to A,B [-cc C] [-reply-to R] [-subject S] [-body FILE|-] [-attach FILE]... [-eml FILE]"+
		" [-receipt full|brief|concise] [-key KEY] [-require accepted|delivered] [-allow-ordinary] [-timeout D] [-dry-run] [-json]")
	r = &request{account: account.Register(set), stdin: stdin}
	set.Var(&r.to, "to", "`addresses` of recipients, with commas; may be given more than once")
	set.Var(&r.cc, "cc", "`addresses` of further recipients, whose receipts carry no content")
	set.StringVar(&r.replyTo, "reply-to", "", "the `address` for answers")
	set.StringVar(&r.subject, "subject", "", "the subject")
	set.StringVar(&r.body, "body", "", "the `file` with the text; - is standard input")
	set.StringVar(&r.eml, "eml", "", "send this message `file` as it is, in the place of -to, -subject, -body and -attach")
	set.Var(&r.attach, "attach", "attach this `file`; may be given more than once")
	set.StringVar(&r.receipt, "receipt", string(receipt.DetailFull), "the `kind` of delivery receipt: full, brief or concise")
	set.StringVar(&r.key, "key", "", "a `name` for this send: it is made once, however often the program is run; needs -store")
	set.StringVar(&r.require, "require", "delivered", "what every recipient must be: accepted or delivered")
	set.BoolVar(&r.allowOrdinary, "allow-ordinary", false, "be content with recipients that have no PEC")
	set.DurationVar(&r.timeout, "timeout", 10*time.Minute, "how long to wait for the notices")
	set.BoolVar(&r.dryRun, "dry-run", false, "log in and check the message, and send nothing")
	set.BoolVar(&r.json, "json", false, "print one JSON object a change")
	if exit, goOn := program.Parse(set, args, stderr); !goOn {
		return nil, exit
	}
	if err := r.check(); err != nil {
		return nil, program.Fail(stderr, "send", err)
	}
	return r, 0
}

// check returns an error for flags that cannot be used together.
func (r *request) check() error {
	switch {
	case r.key != "" && r.account.Store == "":
		return errors.New("-key needs -store: without a store the key is forgotten")
	case r.require != "accepted" && r.require != "delivered":
		return fmt.Errorf("-require must be accepted or delivered, not %q", r.require)
	case r.eml != "" && (len(r.to)+len(r.cc)+len(r.attach) > 0 || r.subject+r.body+r.replyTo != ""):
		return errors.New("-eml is a whole message: it cannot be used with other flags about the content")
	case r.eml == "" && len(addresses(r.to)) == 0:
		return errors.New("-to is required")
	case r.timeout <= 0:
		return errors.New("-timeout must be greater than zero")
	}
	return nil
}

// compose returns the message, or the raw message, and the files to close afterwards.
func (r *request) compose() (m pec.Message, raw *pec.RawMessage, files []io.Closer, err error) {
	if r.eml != "" {
		f, err := os.Open(r.eml)
		if err != nil {
			return m, nil, nil, err
		}
		return m, &pec.RawMessage{Content: f, Key: r.key}, []io.Closer{f}, nil
	}
	m = pec.Message{
		To: addresses(r.to), Cc: addresses(r.cc), ReplyTo: r.replyTo, Subject: r.subject,
		Receipt: receipt.Detail(r.receipt), Key: r.key,
	}
	if m.Text, err = r.text(); err != nil {
		return m, nil, nil, err
	}
	for _, name := range r.attach {
		f, err := os.Open(name)
		if err != nil {
			return m, nil, files, err
		}
		files = append(files, f)
		// Leave out the parameters, which differ between systems.
		mediaType, _, _ := strings.Cut(mime.TypeByExtension(filepath.Ext(name)), ";")
		m.Attachments = append(m.Attachments, pec.Attachment{Name: filepath.Base(name), Type: mediaType, Content: f})
	}
	return m, nil, files, nil
}

func (r *request) text() (string, error) {
	var text []byte
	var err error
	switch r.body {
	case "":
	case "-":
		text, err = io.ReadAll(r.stdin)
	default:
		text, err = os.ReadFile(r.body)
	}
	return string(text), err
}

// addresses splits lists at commas outside quotes.
func addresses(lists []string) []string {
	var all []string
	for _, list := range lists {
		quoted := false
		for _, one := range strings.FieldsFunc(list, func(c rune) bool {
			if c == '"' {
				quoted = !quoted
			}
			return c == ',' && !quoted
		}) {
			all = append(all, strings.TrimSpace(one))
		}
	}
	return all
}

// rehearse does everything except sending.
func (r *request) rehearse(ctx context.Context, a *account.Account, d display) (int, error) {
	message, raw, files, err := r.compose()
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return exitTrouble, err
	}
	var draft pec.Preview
	if raw != nil {
		draft, err = a.CheckRaw(ctx, *raw)
	} else {
		draft, err = a.Check(ctx, message)
	}
	if err != nil {
		return exitOf(err), err
	}
	if _, err := a.Connection.Submitter.Probe(ctx); err != nil {
		return exitOf(err), err
	}
	if _, err := a.Connection.Mailbox.Probe(ctx); err != nil {
		return exitOf(err), err
	}
	err = d.rehearsed(draft)
	return exitOf(err), err
}
