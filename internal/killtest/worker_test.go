package killtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/mail"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
	"github.com/gopec/gopec/smtpclient"
)

// How a worker does its work.
const (
	sends   = "sends"   // sends, and syncs until every send is settled
	watches = "watches" // sends, and watches
	retries = "retries" // sends nothing new, like a program whose caller does not repeat the call
)

// order is what a worker is to do. It is passed to another process as JSON.
type order struct {
	Driver, DSN   string // Driver is "sqlite" or "pgx"
	Address       string // the mailbox; also its login
	To, Then      string // the recipients of the first and of the second message
	SMTP, IMAP    string
	Roots, Anchor []byte        // certificates, in DER
	Handled       string        // the file that lists the envelopes that were handled
	Ahead         time.Duration // how far the worker's clock is ahead
	Way           string        // sends, watches or retries
	Step          string        // the worker is killed when it takes Step for the N-th time; "" for never
	N             int
}

const password = "secret"

// nobody is a recipient of both messages. No such mailbox exists.
const nobody = "unknown@beta-pec.example"

// The keys of the two messages.
const (
	first  = "first"
	second = "second"
)

// worker is a Client with its order, its database and its connections.
type worker struct {
	*pec.Client
	order
	step func(string) error
	db   *sql.DB
	ends []func() error
}

// open returns a worker that calls step at each of its steps.
func (o order) open(ctx context.Context, step func(string) error) (*worker, error) {
	w := &worker{order: o, step: step}
	if err := w.connect(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *worker) connect(ctx context.Context) error {
	roots := x509.NewCertPool()
	root, err := x509.ParseCertificate(w.Roots)
	if err != nil {
		return err
	}
	roots.AddCert(root)
	anchor, err := x509.ParseCertificate(w.Anchor)
	if err != nil {
		return err
	}
	now := func() time.Time { return time.Now().Add(w.Ahead) }
	verifier, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(anchor)}, &envelope.VerifierOptions{Now: now})
	if err != nil {
		return err
	}
	login := pec.Password(w.Address, password)
	smtp, err := smtpclient.New(w.SMTP, login, &smtpclient.Options{TLS: &tls.Config{RootCAs: roots}})
	if err != nil {
		return err
	}
	w.ends = append(w.ends, smtp.Close)
	imap, err := imapclient.New(w.IMAP, login, &imapclient.Options{TLS: &tls.Config{RootCAs: roots}})
	if err != nil {
		return err
	}
	w.ends = append(w.ends, imap.Close)
	if w.db, err = sql.Open(w.Driver, w.DSN); err != nil {
		return err
	}
	w.ends = append(w.ends, w.db.Close)
	kept, err := openStore(ctx, w.Driver, w.db)
	if err != nil {
		return err
	}
	w.Client, err = pec.New(w.Address, &submitter{smtp, w.step}, &mailbox{imap, w.step}, verifier,
		&pec.Options{Store: &store{kept, w.step}, Now: now})
	return err
}

func openStore(ctx context.Context, driver string, db *sql.DB) (*sqlstore.Store, error) {
	if driver == "sqlite" {
		return sqlstore.OpenSQLite(ctx, db)
	}
	return sqlstore.OpenPostgres(ctx, db, nil)
}

func (w *worker) close() {
	for _, end := range w.ends {
		_ = end()
	}
}

// message returns the message that is sent under a key.
func (o order) message(key string) pec.Message {
	m := pec.Message{To: []string{o.To, nobody}, Subject: key, Key: key, Text: strings.Repeat("Entro dieci giorni.\n", 1000)}
	if key == second {
		m.To[0] = o.Then
	}
	return m
}

// work sends the first message and follows it. Then it sends the second message, as a Resend
// of the first, and follows that.
func (w *worker) work(ctx context.Context) error {
	if w.Ahead > 0 {
		if err := w.each(w.Retry(ctx)); err != nil {
			return err
		}
	}
	for _, key := range []string{first, second} {
		if w.Way != retries {
			if err := w.send(ctx, key); err != nil {
				return err
			}
		}
		id, err := w.MessageID(ctx, key)
		if errors.Is(err, pec.ErrUnknownSend) {
			return nil
		}
		if err != nil {
			return err
		}
		settled, err := w.follow(ctx, id)
		if err != nil || !settled {
			return err
		}
		if err := w.each(w.SearchNotices(ctx, id)); err != nil {
			return err
		}
		for _, err := range w.Find(ctx, pec.Query{Filter: pec.FilterOpen}) {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends the message of a key. Every worker does so, and the key makes it one send. A
// message that did not leave, or may have, is no error here: the worker follows it.
func (w *worker) send(ctx context.Context, key string) error {
	var err error
	if key == first {
		_, err = w.Send(ctx, w.message(key))
	} else {
		var before string
		if before, err = w.MessageID(ctx, first); err == nil {
			_, err = w.Resend(ctx, before, w.message(key))
		}
	}
	var failed *pec.SendError
	if errors.As(err, &failed) && failed.Store == nil {
		return nil
	}
	return err
}

// follow follows a send. It returns true once the send is settled, and false when there is
// nothing to wait for: the message did not leave, or nobody knows whether it did.
func (w *worker) follow(ctx context.Context, id string) (bool, error) {
	for synced := false; ; synced = true {
		status, err := w.Status(ctx, id)
		if err != nil || status.Settled {
			return err == nil, err
		}
		if !hasLeft(status.Recipients[0].State) && synced {
			return false, w.each(w.SearchNotices(ctx, id))
		}
		if synced {
			if err := w.Wait(ctx); err != nil {
				return false, err
			}
		}
		if w.Way == watches && hasLeft(status.Recipients[0].State) {
			err = w.watch(ctx, id)
		} else {
			err = w.each(w.Sync(ctx))
		}
		if err != nil {
			return false, err
		}
	}
}

// watch watches the mailbox until the send is settled.
func (w *worker) watch(ctx context.Context, id string) error {
	for event, err := range w.Watch(ctx) {
		if err == nil {
			err = errors.Join(event.Trouble, w.handle(event))
		}
		if err != nil {
			return err
		}
		status, err := w.Status(ctx, id)
		if err != nil || status.Settled {
			return err
		}
	}
	return nil
}

// each handles each of the events.
func (w *worker) each(events iter.Seq2[pec.Event, error]) error {
	for event, err := range events {
		if err != nil {
			return err
		}
		if err := w.handle(event); err != nil {
			return err
		}
	}
	return nil
}

// handle is the body of the loop over events. It notes each inbound envelope in a file, since
// the Store does not keep them.
func (w *worker) handle(event pec.Event) error {
	_ = w.step("loop begins")
	if event.Unverified != nil {
		return event.Unverified
	}
	if event.Unreadable != nil {
		return event.Unreadable
	}
	if event.Inbound != nil {
		m, err := mail.ReadMessage(event.Raw)
		if err != nil {
			return err
		}
		if err := note(w.Handled, m.Header.Get("Message-ID")); err != nil {
			return err
		}
	}
	_ = w.step("loop ends")
	return nil
}

// note adds a line to a file.
func note(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}

// orders is the environment variable that holds the order of a worker.
const orders = "KILLTEST_ORDER"

// serve does the work of a worker process.
func serve(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w, err := o.open(ctx, newFuse(o.Step, o.N).at)
	if err != nil {
		return err
	}
	defer w.close()
	return w.work(ctx)
}

// live runs a worker process in place of the tests.
func live(text string) {
	fmt.Println("ready")
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// hasLeft reports whether the provider has given its final answer to a message in this
// state.
func hasLeft(s pec.State) bool {
	switch s {
	case pec.StatePending, pec.StateRetrying, pec.StateSuspended, pec.StateUncertain:
		return false
	default:
		return true
	}
}
