package envelope_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/pectest"
)

// transportEnvelope returns an envelope signed by a provider of package pectest.
func transportEnvelope(network *pectest.Network) []byte {
	raw, err := network.Providers()[0].Emit(pectest.Notice{
		Kind:       pectest.KindTransport,
		Sender:     "mario@alfa-pec.example",
		Recipients: []pectest.Recipient{{Address: "luigi@beta-pec.example"}},
		Subject:    "Diffida",
		MessageID:  "<1@alfa-pec.example>",
		Original:   []byte("From: mario@alfa-pec.example\r\nSubject: Diffida\r\n\r\nSi diffida.\r\n"),
	})
	if err != nil {
		log.Fatal(err)
	}
	return raw
}

// Verify a message of any kind, and read what the provider certifies and what the
// sender wrote.
func ExampleOpen() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	anchors := []envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())} // or envelope.BuiltinAnchors()
	verifier, err := envelope.NewVerifier(anchors, nil)
	if err != nil {
		log.Fatal(err)
	}

	m, err := envelope.Open(context.Background(), bytes.NewReader(transportEnvelope(network)), verifier)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Kind, "from", m.CertData.Sender, "signed by", m.From)
	original, err := m.Original()
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(original)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", text)
	// Output:
	// transport from mario@alfa-pec.example signed by posta-certificata@alfa-pec.example
	// "From: mario@alfa-pec.example\r\nSubject: Diffida\r\n\r\nSi diffida.\r\n"
}

// A message that is not proven may be evidence too. Keep its bytes, together with the
// check that failed and the kind that the message claims.
func ExampleVerifyError() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	verifier, err := envelope.NewVerifier([]envelope.Anchor{envelope.AnchorFromCertificate(network.SigningCA())}, nil)
	if err != nil {
		log.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "evidence")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	raw := bytes.Replace(transportEnvelope(network), []byte("Si diffida."), []byte("Si ringrazia."), 1)
	m, err := envelope.Open(context.Background(), bytes.NewReader(raw), verifier)
	refused, ok := errors.AsType[*envelope.VerifyError](err)
	switch {
	case ok:
		name := filepath.Join(folder, string(refused.Code)+".eml")
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			log.Fatal(err)
		}
		fmt.Println("kept", filepath.Base(name), "- it claims a", refused.Findings.Kind)
	case err != nil:
		log.Fatal(err) // the message could not be read
	default:
		m.Close()
	}
	// Output: kept digest-mismatch.eml - it claims a transport
}

// Read anchors and revocation lists from your own files.
func ExampleNewVerifier() {
	network, err := pectest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	folder, err := os.MkdirTemp("", "trust")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	list, err := network.CRL()
	if err != nil {
		log.Fatal(err)
	}
	crl := filepath.Join(folder, "today.crl")
	if err := os.WriteFile(crl, list, 0o600); err != nil {
		log.Fatal(err)
	}

	anchors, err := envelope.ParseAnchors(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: network.SigningCA().Raw}))
	if err != nil {
		log.Fatal(err)
	}
	revoked, err := envelope.ReadCRLs(crl)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := envelope.NewVerifier(anchors, &envelope.VerifierOptions{Revocation: revoked})
	if err != nil {
		log.Fatal(err)
	}

	m, err := envelope.Open(context.Background(), bytes.NewReader(transportEnvelope(network)), verifier)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println("revocation:", m.Revocation)
	// Output: revocation: good
}
