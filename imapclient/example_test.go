package imapclient_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"strings"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Look at a mailbox before it is read: nothing in it changes. The Client is the Mailbox
// that pec.New takes.
func ExampleClient_Probe() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	provider, account := network.Providers()[0], network.Accounts()[0]

	client, err := imapclient.New(
		provider.IMAPAddr(), // such as imaps.provider.example:993
		pec.Password(account.Login, account.Password),
		&imapclient.Options{TLS: &tls.Config{RootCAs: network.TLSRoots()}}, // nil for the roots of the system
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	mailbox, err := client.Probe(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, folder := range mailbox.Selected {
		fmt.Println(folder.Name, "holds", folder.Messages)
	}
	fmt.Println("learns of new messages at once:", mailbox.Idle)
	// Output:
	// INBOX holds 0
	// learns of new messages at once: true
}

// Keep a copy of each sent message in the folder where people look for it. The SentFolder
// goes into pec.Options.SentFolder.
func ExampleSentFolder() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	provider, account := network.Providers()[0], network.Accounts()[0]

	sent, err := imapclient.NewSentFolder(provider.IMAPAddr(), pec.Password(account.Login, account.Password),
		&imapclient.SentOptions{TLS: &tls.Config{RootCAs: network.TLSRoots()}})
	if err != nil {
		log.Fatal(err)
	}
	defer sent.Close()
	message := "Message-ID: <1@alfa-pec.example>\r\nSubject: Diffida\r\n\r\nSi diffida.\r\n"
	for range 2 { // the second Save finds the copy and adds none
		err := sent.Save(context.Background(), "1@alfa-pec.example", int64(len(message)), strings.NewReader(message))
		if err != nil {
			log.Fatal(err)
		}
	}
	copies, err := provider.Messages(account.Address, pectest.SentFolder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("copies:", len(copies))
	// Output: copies: 1
}
