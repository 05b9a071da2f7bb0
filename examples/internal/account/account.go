// Package account has what the example programs share: the flags that name a mailbox, the
// client for it, and the SQLite store.
package account

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/provider"
)

// Flags are the flags that name a mailbox.
type Flags struct {
	Preset, SMTP, IMAP string
	User, From         string
	PasswordEnv        string
	CA, Anchors        string
	Store              string
	Folders            List
}

// List is a flag that may be given more than once.
type List []string

// String implements flag.Value.
func (l *List) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *List) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// Usage is the part of a usage line for these flags.
const Usage = "[-preset NAME | -smtp HOST:PORT -imap HOST:PORT] -user LOGIN [-from ADDRESS] [-password-env VAR] [-ca FILE] [-anchors FILE] [-store FILE.db] [-folder F]..."

// Register adds the flags to a set.
func Register(set *flag.FlagSet) *Flags {
	f := &Flags{}
	set.StringVar(&f.Preset, "preset", "", "the provider: "+strings.Join(presetNames(), ", "))
	set.StringVar(&f.SMTP, "smtp", "", "`host:port` of submission with TLS, in the place of the preset's")
	set.StringVar(&f.IMAP, "imap", "", "`host:port` of IMAP with TLS, in the place of the preset's")
	set.StringVar(&f.User, "user", "", "the `login` name")
	set.StringVar(&f.From, "from", "", "the mailbox's `address`; the login name when it is one")
	set.StringVar(&f.PasswordEnv, "password-env", "PEC_PASSWORD", "the environment `variable` that holds the password")
	set.StringVar(&f.CA, "ca", "", "trust the servers that the CA in this PEM `file` vouches for, instead of the system's")
	set.StringVar(&f.Anchors, "anchors", "", "trust the signing CAs or public keys in this PEM `file` instead of the built-in ones")
	set.StringVar(&f.Store, "store", "", "keep what is known in this SQLite `file`; without it all is forgotten at the end")
	set.Var(&f.Folders, "folder", "read this `folder`; may be given more than once; INBOX without")
	return f
}

func presetNames() []string {
	var names []string
	for _, p := range provider.All() {
		names = append(names, p.Name)
	}
	return names
}

// Account is the client of a mailbox, with its connections and its store.
type Account struct {
	*pec.Client
	Connection *provider.Connection
	closers    []io.Closer
}

// Close closes the connections and the store.
func (a *Account) Close() error {
	var err error
	for i := len(a.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, a.closers[i].Close())
	}
	return err
}

// Open makes the client that the flags ask for. It opens the store, but no connection.
func (f *Flags) Open(ctx context.Context) (*Account, error) {
	a := &Account{}
	if err := a.open(ctx, f); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *Account) open(ctx context.Context, f *Flags) error {
	preset, err := f.preset()
	if err != nil {
		return err
	}
	password := os.Getenv(f.PasswordEnv)
	switch {
	case f.User == "":
		return errors.New("-user is required")
	case f.PasswordEnv == "":
		return errors.New("-password-env is required: the name of the environment variable that holds the password")
	case password == "":
		return fmt.Errorf("the environment variable %s, which should hold the password, is not set or is empty", f.PasswordEnv)
	case f.From == "" && !strings.Contains(f.User, "@"):
		return errors.New("-from is required when the login name is not an address")
	case f.From == "":
		f.From = f.User
	}
	if preset.TLS, err = Roots(f.CA); err != nil {
		return err
	}
	if preset.Anchors, err = Anchors(f.Anchors); err != nil {
		return err
	}
	a.Connection, err = preset.Connect(pec.Password(f.User, password), &provider.Options{Folders: f.Folders})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, a.Connection)
	opts := &pec.Options{PollInterval: 15 * time.Second}
	if f.Store != "" {
		store, closer, err := OpenStore(ctx, f.Store)
		if err != nil {
			return err
		}
		a.closers = append(a.closers, closer)
		opts.Store = store
	}
	a.Client, err = a.Connection.NewClient(f.From, opts)
	return err
}

// preset returns the named preset with the servers that the flags name.
func (f *Flags) preset() (provider.Preset, error) {
	var p provider.Preset
	if f.Preset != "" {
		var ok bool
		if p, ok = provider.Named(f.Preset); !ok {
			return p, fmt.Errorf("no preset is named %q; there are %s", f.Preset, strings.Join(presetNames(), ", "))
		}
	}
	if f.SMTP != "" {
		p.SMTP = f.SMTP
	}
	if f.IMAP != "" {
		p.IMAP = f.IMAP
	}
	if p.SMTP == "" || p.IMAP == "" {
		return p, errors.New("-preset, or -smtp and -imap, are required")
	}
	return p, nil
}

// Roots returns a TLS configuration that trusts the CAs in a PEM file. It returns nil, which
// means the system's roots, when file is "".
func Roots(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// Anchors returns the anchors in a PEM file, or the built-in ones when file is "".
func Anchors(file string) ([]envelope.Anchor, error) {
	if file == "" {
		return envelope.BuiltinAnchors(), nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	anchors, err := envelope.ParseAnchors(pem)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return anchors, nil
}
