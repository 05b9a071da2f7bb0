// Webhook posts every change that a store records to a web address, in order and at
// least once, signed.
//
//	webhook -store FILE.db -url URL [-secret-env VAR] -position FILE [-once]
//
// Each change is one POST of a JSON object. Its header Pec-Signature is
// "t=SECONDS,v1=HEX": the HMAC-SHA256, under the secret, of the seconds since 1970, a
// dot, and the body. A receiver recomputes it, refuses old times, and answers 2xx once
// the change is safe with it; the field position tells a change that comes again. Any
// other answer is tried again after pauses that grow to five minutes. How far it got is
// kept in the position file, for each mailbox. With -once it ends when there is nothing
// more to post.
package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/pec"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	set := flag.NewFlagSet("webhook", flag.ContinueOnError)
	set.SetOutput(stderr)
	file := set.String("store", "", "the SQLite `file`; required")
	url := set.String("url", "", "the web `address`; required")
	env := set.String("secret-env", "WEBHOOK_SECRET", "the environment `variable` that holds the secret")
	position := set.String("position", "", "the `file` that keeps how far it got; required")
	once := set.Bool("once", false, "end when there is nothing more to post")
	if err := set.Parse(args); err != nil {
		return 2
	}
	secret := os.Getenv(*env)
	if *file == "" || *url == "" || *position == "" || secret == "" || set.NArg() > 0 {
		fmt.Fprintf(stderr, "webhook: -store, -url, -position and the environment variable %s are required\n", *env)
		set.Usage()
		return 2
	}
	store, closer, err := account.OpenStore(ctx, *file)
	if err == nil {
		defer closer.Close()
		h := &hook{url: *url, secret: []byte(secret), client: &http.Client{Timeout: 30 * time.Second}, log: stderr}
		err = h.run(ctx, store, *position, *once)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "webhook:", err)
		return 2
	}
	return 0
}

// Change is what is posted.
type Change struct {
	Mailbox    string       `json:"mailbox"`
	Position   pec.Position `json:"position"`
	MessageID  string       `json:"messageID"` // "" when the change is about the mailbox
	Key        string       `json:"key"`
	Fact       string       `json:"fact"` // its kind, such as NoticeFact
	Outcome    pec.Total    `json:"outcome"`
	Flags      []pec.Flag   `json:"flags"`
	Recipients []Recipient  `json:"recipients"` // those whose state changed
}

// Recipient is one recipient after the change.
type Recipient struct {
	Address  string `json:"address"`
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Time     string `json:"time"` // certified; RFC 3339, in the provider's offset
	Evidence string `json:"evidence"`
}

func newChange(mailbox string, c pec.Change) Change {
	change := Change{
		Mailbox: mailbox, Position: c.Position, MessageID: c.MessageID, Key: c.After.Key,
		Fact: fmt.Sprintf("%T", c.Fact)[len("pec."):], Outcome: c.After.Total, Flags: append([]pec.Flag{}, c.After.Flags...),
		Recipients: []Recipient{},
	}
	for _, r := range c.Recipients() {
		recipient := Recipient{Address: r.Address, State: r.State.String(), Cause: string(r.Failure.Cause), Evidence: r.Evidence.String()}
		if !r.Time.IsZero() {
			recipient.Time = r.Time.Format(time.RFC3339)
		}
		change.Recipients = append(change.Recipients, recipient)
	}
	return change
}

// hook posts changes.
type hook struct {
	url    string
	secret []byte
	client *http.Client
	log    io.Writer
}

// pollEvery is how often a store is asked for changes when there were none.
const pollEvery = time.Second

func (h *hook) run(ctx context.Context, store account.Store, file string, once bool) error {
	positions, err := readPositions(file)
	if err != nil {
		return err
	}
	for {
		mailboxes, err := store.Mailboxes(ctx)
		if err != nil {
			return err
		}
		for _, mailbox := range mailboxes {
			ledger, err := pec.NewLedger(mailbox, store, nil)
			if err != nil {
				return err
			}
			for c, err := range ledger.Changes(ctx, positions[mailbox]) {
				if err != nil {
					return err
				}
				if err := h.deliver(ctx, newChange(mailbox, c)); err != nil {
					return err
				}
				positions[mailbox] = c.Position
				if err := positions.write(file); err != nil {
					return err
				}
			}
		}
		if once {
			return nil
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// deliver posts one change until it is taken.
func (h *hook) deliver(ctx context.Context, c Change) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	for pause := time.Second; ; pause = min(2*pause, 5*time.Minute) {
		err := h.post(ctx, body)
		if err == nil {
			return nil
		}
		fmt.Fprintf(h.log, "webhook: position %s, again in %s: %v\n", c.Position, pause, err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (h *hook) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Pec-Signature", h.sign(time.Now(), body))
	response, err := h.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return errors.New(response.Status)
	}
	return nil
}

func (h *hook) sign(at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, h.secret)
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
