package smtpclient_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

// Look at a server before the first message: no message is sent. The Client is the
// Submitter that pec.New takes.
func ExampleClient_Probe() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	provider, account := network.Providers()[0], network.Accounts()[0]

	client, err := smtpclient.New(
		provider.SMTPAddr(), // such as smtps.provider.example:465
		pec.Password(account.Login, account.Password),
		&smtpclient.Options{TLS: &tls.Config{RootCAs: network.TLSRoots()}}, // nil for the roots of the system
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	server, err := client.Probe(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(server.Mechanisms, server.Size>>20, "MiB")
	// Output: [LOGIN PLAIN] 30 MiB
}
