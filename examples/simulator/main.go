// Simulator is a sandbox of PEC providers for programs in any language. It has real
// submission (SMTP) and mailboxes (IMAP) over TLS, and all the notices of Italian certified
// e-mail, but no legal effect.
//
//	simulator [-config FILE] [-speed N]
//
// When it is ready it prints one line of JSON: the providers' addresses, the accounts, the
// files with the TLS root ("ca") and the signing CA ("anchors"), and the control address. It
// logs what happens on standard error. It runs until it is interrupted, and keeps nothing.
//
// The local part of a recipient chooses what becomes of a message, like the test cards of a
// payment sandbox: unknown@ full@ virus@ silent@ late@ twice@ delay12@ delay24@, in the
// domain of any provider (pectest.ReservedFates says what each does). The control address
// answers these requests:
//
//	POST /advance?d=12h    moves the clock; returns when everything due has happened
//	POST /idle             returns when everything handed in has been processed
//	POST /inject?to=A      body: a message; with from=B it arrives as ordinary mail from
//	                       outside, without from it is put into folder=F (INBOX) unchanged
//	POST /fault?kind=K     a fault at the next times=N (1) answers; control.go lists the kinds
//	DELETE /fault          removes all faults
//	POST /fate?address=A   body: what becomes of messages to A, as in the config file
//	GET /messages?address=A  {"service": the address of the service mailbox of A's provider,
//	                       "messages": the messages in folder=F (INBOX) of A, in base64}
//
// config.example.json shows everything that can be configured.
package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec/pectest"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

// ready is the line that says where everything is.
type ready struct {
	Providers []provider `json:"providers"`
	Accounts  []account  `json:"accounts"`
	CA        string     `json:"ca"`
	Anchors   string     `json:"anchors"`
	Control   string     `json:"control"`
}

type provider struct {
	Domain string `json:"domain"`
	SMTP   string `json:"smtp"`
	IMAP   string `json:"imap"`
}

type account struct {
	Address  string `json:"address"`
	Login    string `json:"login"`
	Password string `json:"password"`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := program.Flags("simulator", "[-config FILE] [-speed N]")
	file := flags.String("config", "", "JSON file; lines that begin with // are comments")
	speed := flags.Int("speed", 0, "so many seconds in each second; 0 is what the config says, else 1")
	if exit, goOn := program.Parse(flags, args, stderr); !goOn {
		return exit
	}
	if *speed < 0 {
		return program.Fail(stderr, "simulator", errors.New("-speed must not be negative"))
	}
	if err := simulate(ctx, *file, *speed, stdout, stderr); err != nil {
		return program.Fail(stderr, "simulator", err)
	}
	return 0
}

// simulate starts everything, prints the ready line, and ends everything when ctx ends.
func simulate(ctx context.Context, file string, speed int, stdout, stderr io.Writer) (err error) {
	settings, err := readConfig(file)
	if err != nil {
		return err
	}
	if speed > 0 {
		settings.options.Speed = speed
	}
	settings.options.Logger = newLog(stderr)
	network, err := pectest.New(&settings.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	for address, fate := range settings.fates {
		network.SetFate(address, fate)
	}

	dir, err := os.MkdirTemp("", "pec-simulator-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	line, err := announce(network, dir)
	if err != nil {
		return err
	}
	server, err := newControl(network)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	line.Control = server.address()
	if err := json.NewEncoder(stdout).Encode(line); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// announce writes the files with certificates and returns the ready line.
func announce(network *pectest.Network, dir string) (ready, error) {
	line := ready{CA: filepath.Join(dir, "ca.pem"), Anchors: filepath.Join(dir, "anchors.pem")}
	anchor := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: network.SigningCA().Raw})
	if err := errors.Join(os.WriteFile(line.CA, network.TLSRootPEM(), 0o600), os.WriteFile(line.Anchors, anchor, 0o600)); err != nil {
		return ready{}, err
	}
	for _, p := range network.Providers() {
		line.Providers = append(line.Providers, provider{p.Domain(), p.SMTPAddr(), p.IMAPAddr()})
	}
	for _, a := range network.Accounts() {
		line.Accounts = append(line.Accounts, account{a.Address, a.Login, a.Password})
	}
	return line, nil
}
