// Quickstart sends one PEC and follows it to the end. It needs no account and no network,
// because it starts two PEC providers of its own (package pectest). It sends one message to
// three recipients with different fates, prints each proven notice as it arrives, and then
// prints what became of the message for each recipient.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(program.Fail(os.Stderr, "quickstart", fmt.Errorf("it takes no arguments, and %q is one", os.Args[1])))
	}
	ctx, cancel := context.WithTimeout(program.Context(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		os.Exit(program.Fail(os.Stderr, "quickstart", err))
	}
}

func run(ctx context.Context, out io.Writer) error {
	// Two PEC providers on this machine. For a real one, take a preset of package
	// provider, your login and your address instead.
	network, err := pectest.New(nil)
	if err != nil {
		return err
	}
	defer network.Close()
	mario := network.Access("mario@alfa-pec.example")
	preset := provider.Preset{
		SMTP: mario.SMTP, IMAP: mario.IMAP, TLS: mario.TLS,
		Anchors: []envelope.Anchor{envelope.AnchorFromCertificate(mario.SigningCA)},
	}

	conn, err := preset.Connect(pec.Password(mario.Login, mario.Password), nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	client, err := conn.NewClient(mario.Address, nil)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "Sending one PEC from %s to three recipients.\n\n", mario.Address)
	id, err := client.Send(ctx, pec.Message{
		To: []string{
			"luigi@beta-pec.example",  // a PEC mailbox
			"nobody@beta-pec.example", // a PEC domain without this mailbox
			"info@example.org",        // ordinary mail
		},
		Subject:     "Fattura n. 12/2026",
		Text:        "In allegato la fattura.\n\nCordiali saluti\nMario",
		Attachments: []pec.Attachment{{Name: "fattura.txt", Type: "text/plain", Content: strings.NewReader("Totale: 100,00 euro\n")}},
	})
	if err != nil {
		return err
	}

	status, err := follow(ctx, client, id, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nMessage %s: %s\n", status.MessageID, status.Result)
	for _, r := range status.Recipients {
		fmt.Fprintf(out, "  %-24s %-10s %s\n", r.Address, r.State, reason(r))
	}
	return nil
}

// follow reads the mailbox until the send is settled.
func follow(ctx context.Context, client *pec.Client, id string, out io.Writer) (pec.Status, error) {
	for {
		for event, err := range client.Sync(ctx) {
			if err != nil {
				return pec.Status{}, err
			}
			if n := event.Notice; event.MessageID == id {
				fmt.Fprintf(out, "%s  %-15s %-24s signed by %s\n", n.Time.Format(time.TimeOnly), n.Kind, n.Recipient, n.Provider)
			}
		}
		status, err := client.Status(ctx, id)
		if err != nil || status.Settled {
			return status, err
		}
		if err := client.Wait(ctx); err != nil {
			return status, err
		}
	}
}

// reason says in words why a recipient is in its state.
func reason(r pec.RecipientStatus) string {
	switch r.State {
	case pec.StateDelivered:
		return "certified on " + r.Time.Format(time.DateTime)
	case pec.StateFailed:
		return r.Failure.Text
	case pec.StateOrdinary:
		return "accepted; not a PEC mailbox, so delivery is not certified"
	default:
		return ""
	}
}
