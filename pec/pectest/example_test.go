package pectest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net/mail"
	"strings"

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
