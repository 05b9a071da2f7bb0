// Webhook posts every change that a store records to a web address: signed, at least once,
// and in order for each send.
//
//	webhook -store FILE.db -url URL [-secret-env VAR] [-name NAME] [-tries N] [-again] [-once]
//	webhook -store FILE.db [-name NAME] -parked
//
// Each change is one POST of a JSON object. Its header Pec-Signature is
// "t=SECONDS,v1=HEX": the HMAC-SHA256, under the secret, of the seconds since 1970, a dot,
// and the body. A receiver recomputes it, refuses old times, and answers 2xx once the change
// is safe with it. A change that comes again has the same field position. Any other answer,
// including a redirect, is a failure. The change is tried again after pauses that grow to
// five minutes.
//
// A change that fails -tries times (20: about an hour) is parked, and the later changes of
// the same send wait behind it. All other sends go on. -parked prints the parked changes,
// one JSON object per line, and -again posts them again. While the receiver does not answer
// at all, tries do not count.
//
// Changes that are not posted yet are kept in tables in the store's file, under -name. A
// crash loses nothing, and a restored file continues where it was. Run one process for each
// name.
//
// With -once the program ends when there is nothing more to post. The exit status is 0; 1
// when it ends with parked changes; 2 for wrong usage or trouble with the store.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

// request holds the flags.
type request struct {
	store, url, env, name string
	tries                 int
	parked, again, once   bool
}

func (r request) check() error {
	switch {
	case r.store == "" || r.name == "":
		return errors.New("-store is required, and -name must not be empty")
	case r.parked && (r.url != "" || r.again || r.once):
		return errors.New("-parked only prints: it cannot be used with -url, -again and -once")
	case r.parked:
		return nil
	case r.tries < 1:
		return errors.New("-tries must be greater than zero")
	case os.Getenv(r.env) == "":
		return fmt.Errorf("-secret-env: the environment variable %q, which should hold the secret, is not set or is empty", r.env)
	}
	u, err := url.Parse(r.url)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("-url: %q is not an http or https address of a web server", r.url)
	}
	return nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var r request
	set := program.Flags("webhook", "-store FILE.db {-url URL [-secret-env VAR] [-tries N] [-again] [-once] | -parked} [-name NAME]")
	set.StringVar(&r.store, "store", "", "the SQLite `file`; required")
	set.StringVar(&r.url, "url", "", "the web `address`; required")
	set.StringVar(&r.env, "secret-env", "WEBHOOK_SECRET", "the environment `variable` that holds the secret")
	set.StringVar(&r.name, "name", "webhook", "a `name` for how far it got: another one begins anew")
	set.IntVar(&r.tries, "tries", 20, "park a change after so `many` failures")
	set.BoolVar(&r.parked, "parked", false, "print what is parked, and end")
	set.BoolVar(&r.again, "again", false, "first post again what is parked")
	set.BoolVar(&r.once, "once", false, "end when there is nothing more to post")
	if exit, goOn := program.Parse(set, args, stderr); !goOn {
		return exit
	}
	err := r.check()
	parked := 0
	if err == nil {
		parked, err = r.run(ctx, stdout, stderr)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		return program.Fail(stderr, "webhook", err)
	case parked > 0 && r.once:
		program.Fail(stderr, "webhook", fmt.Errorf("%d changes are parked: see webhook -parked", parked))
		return 1
	}
	return 0
}

// run does what the flags ask for. It returns the number of parked changes, or 0 with -parked.
func (r request) run(ctx context.Context, stdout, stderr io.Writer) (parked int, err error) {
	store, db, err := account.ReadStore(ctx, r.store)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	box, err := openOutbox(ctx, db, r.name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", r.store, err)
	}
	if !r.parked {
		h := &hook{
			url: r.url, secret: []byte(os.Getenv(r.env)), client: newClient(), outbox: box, store: store,
			tries: r.tries, least: time.Second, log: stderr,
		}
		if r.again {
			err = box.again(ctx)
		}
		if err == nil {
			err = h.run(ctx, r.once)
		}
		if err != nil {
			return 0, err
		}
	}
	list, err := box.parked(ctx)
	if err != nil || !r.parked {
		return len(list), err
	}
	for _, p := range list {
		if err := json.NewEncoder(stdout).Encode(p); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// newClient returns a client that follows no redirect. After a redirect the answer would be
// about another request, perhaps without the change, and the signature is for one receiver.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	return &http.Client{
		Transport:     transport,
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
