package pectest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/gopec/gopec/pec/pectest"
)

// Send one message to a mailbox that exists and to one that does not, and read the notices
// in the sender's inbox.
func Example() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()

	sender := network.Access("mario@alfa-pec.example")
	client, err := smtp.DialTLS(sender.SMTP, sender.TLS)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.Auth(sasl.NewPlainClient("", sender.Login, sender.Password)); err != nil {
		log.Fatal(err)
	}
	err = client.SendMail(sender.Address, []string{"luigi@beta-pec.example", "nessuno@beta-pec.example"}, strings.NewReader(
		"From: mario@alfa-pec.example\r\n"+
			"To: luigi@beta-pec.example, nessuno@beta-pec.example\r\n"+
			"Subject: Prova\r\n"+
			"Message-ID: <prova-1@alfa-pec.example>\r\n"+
			"\r\n"+
			"Buongiorno.\r\n"))
	if err != nil {
		log.Fatal(err)
	}
	if err := network.Idle(context.Background()); err != nil {
		log.Fatal(err)
	}

	inbox, err := network.ProviderOf(sender.Address).Messages(sender.Address, pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	for _, raw := range inbox {
		message, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(message.Header.Get("X-Ricevuta"), "|", message.Header.Get("Subject"), "|", message.Header.Get("From"))
	}
	// Output:
	// accettazione | ACCETTAZIONE: Prova | posta-certificata@alfa-pec.example
	// avvenuta-consegna | CONSEGNA: Prova | posta-certificata@beta-pec.example
	// errore-consegna | AVVISO DI MANCATA CONSEGNA: Prova | posta-certificata@beta-pec.example
}

// submitOrder is an application under test. It hands in one message with the settings of an
// account, and tries once more after a temporary error.
func submitOrder(account pectest.Access, to string) error {
	raw := "From: " + account.Address + "\r\nTo: " + to + "\r\nSubject: Ordine 12\r\nMessage-ID: <ordine-12@alfa-pec.example>\r\n\r\nBuongiorno.\r\n"
	var err error
	for range 2 {
		var client *smtp.Client
		if client, err = smtp.DialTLS(account.SMTP, account.TLS); err != nil {
			return err
		}
		if err = client.Auth(sasl.NewPlainClient("", account.Login, account.Password)); err == nil {
			err = client.SendMail(account.Address, []string{to}, strings.NewReader(raw))
		}
		client.Close()
		var reply *smtp.SMTPError
		if err == nil || !errors.As(err, &reply) || !reply.Temporary() {
			return err
		}
	}
	return err
}

// Test an application: give it the access to an account of a network, let it do its work,
// move the clock, and look at the mailbox. Here the message never reaches its recipient's
// provider.
func Example_application() {
	network, err := pectest.New(nil) // in a test: pectest.Start(t, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	account := network.Access("mario@alfa-pec.example")

	if err := submitOrder(account, "delay24@beta-pec.example"); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		network.Advance(12 * time.Hour)
	}

	inbox, err := network.ProviderOf(account.Address).Messages(account.Address, pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	for _, raw := range inbox {
		message, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(message.Header.Get("X-Ricevuta"))
	}
	// Output:
	// accettazione
	// preavviso-errore-consegna
	// preavviso-errore-consegna
}

// Inject a fault: the server drops the first message and says so. The application should
// send it again, but only once.
func ExampleNetwork_Intercept() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	account := network.Access("mario@alfa-pec.example")

	var once sync.Once
	remove := network.Intercept(func(m pectest.Moment) (fault *pectest.Fault) {
		if m.Command == pectest.MomentDot {
			once.Do(func() { fault = &pectest.Fault{Lose: true} })
		}
		return fault
	})
	defer remove()
	if err := submitOrder(account, "luigi@beta-pec.example"); err != nil {
		log.Fatal(err)
	}
	if err := network.Idle(context.Background()); err != nil {
		log.Fatal(err)
	}
	received, err := network.ProviderOf("luigi@beta-pec.example").Messages("luigi@beta-pec.example", pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("received:", len(received))
	// Output:
	// received: 1
}

// Set what becomes of messages to an address: the mailbox is full, the envelope takes an
// hour, and the non-delivery notice never arrives.
func ExampleNetwork_SetFate() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	account := network.Access("mario@alfa-pec.example")
	network.SetFate("luigi@beta-pec.example", pectest.Fate{
		Transit:   time.Hour,
		Error:     "altro",
		ErrorText: "5.2.2 - casella piena",
		Missing:   []string{pectest.KindNonDelivery},
	})

	if err := submitOrder(account, "luigi@beta-pec.example"); err != nil {
		log.Fatal(err)
	}
	network.Advance(2 * time.Hour)
	inbox, err := network.ProviderOf(account.Address).Messages(account.Address, pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("notices:", len(inbox)) // the acceptance
	// Output: notices: 1
}
