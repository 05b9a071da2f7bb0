package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

const (
	exchangeDomain = "pec.fatturapa.example"
	first          = "sdi01@" + exchangeDomain
	later          = "sdi07@" + exchangeDomain
	stranger       = "luigi@pec.fatturapa.example.beta-pec.example"
)

// site is a mailbox that sends invoices, in a network where two accounts play the exchange
// system.
type site struct {
	network *pectest.Network
	folder  string
	flags   []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	account := func(address string) pectest.Account { return pectest.Account{Address: address, Password: "secret"} }
	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
		{Domain: "alfa-pec.example", Accounts: []pectest.Account{account("mario@alfa-pec.example")}},
		{Domain: exchangeDomain, Accounts: []pectest.Account{account(first), account(later)}},
		{Domain: domain(stranger), Accounts: []pectest.Account{account(stranger)}},
	}})
	s := &site{network: n, folder: t.TempDir()}
	s.flags = append(accounttest.Flags(t, n), "-store", filepath.Join(t.TempDir(), "pec.db"), "-answers", s.folder, "-to", first)
	return s
}

func (s *site) invoice(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte("<p:FatturaElettronica/>"), 0o600))
	return path
}

// answer sends a PEC with a file to mario, and waits until it has arrived.
func (s *site) answer(t *testing.T, from, file string) {
	t.Helper()
	_, err := accounttest.Client(t, s.network, from, nil).Send(t.Context(), pec.Message{
		To: []string{"mario@alfa-pec.example"}, Subject: "Invio file", Text: "In allegato.",
		Attachments: []pec.Attachment{{Name: file, Type: "application/xml", Content: strings.NewReader("<from>" + from + "</from>")}},
	})
	require.NoError(t, err)
	require.NoError(t, s.network.Idle(t.Context()))
}

// run runs the program until it prints a line that matches, and returns all lines.
func (s *site) run(t *testing.T, until string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	var trouble bytes.Buffer
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, append(s.flags, args...), writer, &trouble)
		writer.Close()
	}()
	var said strings.Builder
	seen := false
	for lines := bufio.NewScanner(reader); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if regexp.MustCompile(until).MatchString(lines.Text()) {
			seen = true
			cancel()
		}
	}
	require.Zero(t, <-exit, trouble.String())
	require.True(t, seen, said.String())
	return said.String()
}

// received returns how many envelopes an account of the exchange system has received.
func (s *site) received(t *testing.T, address string) (n int) {
	t.Helper()
	require.NoError(t, s.network.Idle(t.Context()))
	messages, err := s.network.ProviderOf(address).Messages(address, pectest.InboxFolder)
	require.NoError(t, err)
	for _, raw := range messages {
		if bytes.Contains(raw, []byte("X-Trasporto: posta-certificata")) {
			n++
		}
	}
	return n
}

// A stranger answers first, with a genuine PEC. If it were believed, the invoice would count
// as refused, and the next ones would go to the stranger.
func TestOnlyTheExchangeSystemIsBelieved(t *testing.T) {
	s := newSite(t)
	file := s.invoice(t, "IT01234567890_00001.xml")
	// All answers are there before the program reads: it sends first.
	s.answer(t, stranger, "IT01234567890_00001_NS_001.xml")
	require.NoError(t, s.network.Receive(later, []string{"mario@alfa-pec.example"}, []byte("From: "+later+"\r\nSubject: x\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: application/xml\r\nContent-Disposition: attachment; filename=IT01234567890_00001_DT_001.xml\r\n\r\n<x/>\r\n")))
	require.NoError(t, s.network.Idle(t.Context()))
	s.answer(t, first, "IT01234567890_00009_RC_001.xml") // not about an invoice of ours
	s.answer(t, later, "IT01234567890_00001_RC_001.xml")
	out := s.run(t, `^SdI  IT01234567890_00001_RC_001\.xml  ricevuta di consegna$`, file)
	require.Equal(t, 1, strings.Count(out, "SdI  "), out)
	require.Equal(t, 1, s.received(t, first))

	var names []string
	entries, err := os.ReadDir(s.folder)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{"IT01234567890_00001_RC_001.xml", addressFile}, names)

	// The second run does not send the first invoice again. The next invoice goes to the
	// address that the first answer came from.
	s.answer(t, later, "IT01234567890_0000B_NS_001.xml")
	s.run(t, `^SdI  IT01234567890_0000B_NS_001\.xml  notifica di scarto$`, file, s.invoice(t, "IT01234567890_0000B.xml.p7m"))
	require.Equal(t, 1, s.received(t, first))
	require.Equal(t, 1, s.received(t, later))
}

// Delivery of the PEC to the exchange system is not an answer about the invoice.
func TestDeliveryOfThePECIsNotDeliveryOfTheInvoice(t *testing.T) {
	s := newSite(t)
	out := s.run(t, `^PEC  .* delivered`, s.invoice(t, "IT01234567890_00001.xml"))
	require.NotContains(t, out, "SdI")
	s.answer(t, first, "IT01234567890_00001_MC_001.xml")
	require.Equal(t, "SdI  IT01234567890_00001_MC_001.xml  mancata consegna\n", s.run(t, "^SdI"))
}

func TestAPECThatFailsIsReported(t *testing.T) {
	s := newSite(t)
	s.run(t, `^PEC  IT01234567890_00001\.xml  unknown@`+exchangeDomain+`  failed 5\.1\.1`, "-to", "unknown@"+exchangeDomain, s.invoice(t, "IT01234567890_00001.xml"))
}

// A file that changed under the same name is not sent: the name is the key.
func TestANameStandsForOneFile(t *testing.T) {
	s := newSite(t)
	file := s.invoice(t, "IT01234567890_00001.xml")
	s.run(t, `^PEC  .* delivered`, file)
	require.NoError(t, os.WriteFile(file, []byte("<p:FatturaElettronica>2</p:FatturaElettronica>"), 0o600))
	var out, trouble bytes.Buffer
	require.Equal(t, 2, run(t.Context(), append(s.flags, file), &out, &trouble))
	require.Empty(t, out.String())
	require.Equal(t, 1, s.received(t, first))
}

func TestNames(t *testing.T) {
	for _, name := range []string{
		"IT01234567890_1.xml", "IT01234567890_00001.xml", "ITRSSMRA80A01H501U_aB3.xml.p7m", "FR12_x.xml",
	} {
		_, err := stem(name)
		require.NoError(t, err)
	}
	for _, name := range []string{
		"", "fattura.xml", "IT01234567890_000001.xml", "IT01234567890_.xml", "it01234567890_1.xml", "IT0123456789_1.xml",
		"IT01234567890_1.pdf", "IT01234567890_1.p7m", "IT01234567890_1", "../IT01234567890_1.xml", "IT01234567890_1.xml\n",
	} {
		_, err := stem(name)
		require.Error(t, err, name)
	}
	for _, name := range []string{"IT01234567890_1.xml", "IT01234567890_1_XX_001.xml", "a/IT01234567890_1_RC_001.xml", "IT01234567890_1_RC_0001.xml", "x_RC_001.xml"} {
		_, ok := parseAnswer(name)
		require.False(t, ok, name)
	}
}
