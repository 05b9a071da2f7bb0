package pectest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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

// One message to a mailbox that exists and to one that does not, and what the
// sender finds in the inbox afterwards.
func Example() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()

	sender, _ := network.Account("mario@alfa-pec.example")
	provider := network.ProviderOf(sender.Address)
	client, err := smtp.DialTLS(provider.SMTPAddr(), &tls.Config{RootCAs: network.TLSRoots()})
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

	inbox, err := provider.Messages(sender.Address, pectest.InboxFolder)
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

// submitOrder is what an application under test does: it hands in one message with
// the settings it was given, and tries once more when the server has no time.
func submitOrder(address string, trust *x509.CertPool, account pectest.Account, to string) error {
	raw := "From: " + account.Address + "\r\nTo: " + to + "\r\nSubject: Ordine 12\r\nMessage-ID: <ordine-12@alfa-pec.example>\r\n\r\nBuongiorno.\r\n"
	var err error
	for range 2 {
		var client *smtp.Client
		if client, err = smtp.DialTLS(address, &tls.Config{RootCAs: trust}); err != nil {
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

// How to test an application: give it the addresses, the account and the trust
// root of a network, let it do its work, move the clock, and look at what the
// mailbox holds. Here nobody ever takes the message.
func Example_application() {
	network, err := pectest.New(nil) // in a test: pectest.Start(t, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	account := network.Accounts()[0]
	provider := network.ProviderOf(account.Address)

	if err := submitOrder(provider.SMTPAddr(), network.TLSRoots(), account, "delay24@beta-pec.example"); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		network.Advance(12 * time.Hour)
	}

	inbox, err := provider.Messages(account.Address, pectest.InboxFolder)
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

// A fault on the wire: the server forgets the first message that it is given,
// and says so. Does the application send it again, and once only?
func ExampleNetwork_Intercept() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	account := network.Accounts()[0]
	provider := network.ProviderOf(account.Address)

	var once sync.Once
	remove := network.Intercept(func(m pectest.Moment) (fault *pectest.Fault) {
		if m.Command == pectest.MomentDot {
			once.Do(func() { fault = &pectest.Fault{Lose: true} })
		}
		return fault
	})
	defer remove()
	if err := submitOrder(provider.SMTPAddr(), network.TLSRoots(), account, "luigi@beta-pec.example"); err != nil {
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

// What becomes of messages to one address, from now on: a full mailbox, an hour after
// acceptance, whose notice is lost on its way.
func ExampleNetwork_SetFate() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	account := network.Accounts()[0]
	provider := network.ProviderOf(account.Address)
	network.SetFate("luigi@beta-pec.example", pectest.Fate{
		Transit:   time.Hour,
		Error:     "altro",
		ErrorText: "5.2.2 - casella piena",
		Missing:   []string{pectest.KindNonDelivery},
	})

	if err := submitOrder(provider.SMTPAddr(), network.TLSRoots(), account, "luigi@beta-pec.example"); err != nil {
		log.Fatal(err)
	}
	network.Advance(2 * time.Hour)
	inbox, err := provider.Messages(account.Address, pectest.InboxFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("notices:", len(inbox)) // the acceptance
	// Output: notices: 1
}
