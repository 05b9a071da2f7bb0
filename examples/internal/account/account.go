// Package account is what the example programs share: flags that name a mailbox,
// and the client they make.
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
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
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

// Usage is the part of a usage line that these flags are.
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
	for _, p := range pec.Presets() {
		names = append(names, p.Name)
	}
	return names
}

// Account is a mailbox with its connections.
type Account struct {
	*pec.Client
	SMTP     *smtpclient.Client
	IMAP     *imapclient.Client
	Verifier *envelope.Verifier
	closers  []io.Closer
}

// Close ends the connections and closes the store.
func (a *Account) Close() error {
	var err error
	for i := len(a.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, a.closers[i].Close())
	}
	return err
}

// Open makes the client that the flags ask for. Nothing is connected yet.
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
		return errors.New("-from is required where the login name is not the address")
	case f.From == "":
		f.From = f.User
	}
	roots, err := Roots(f.CA)
	if err != nil {
		return err
	}
	if a.Verifier, err = Verifier(f.Anchors); err != nil {
		return err
	}
	login := pec.Password(f.User, password)
	a.SMTP, err = smtpclient.New(preset.SMTP.Value, login, &smtpclient.Options{
		TLS: roots, PerMinute: preset.PerMinute.Value, Throttles: preset.Throttles.Value,
	})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, a.SMTP)
	a.IMAP, err = imapclient.New(preset.IMAP.Value, login, &imapclient.Options{TLS: roots, Folders: f.Folders})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, a.IMAP)
	opts := &pec.Options{Limits: preset.Limits.Value, PollInterval: 15 * time.Second}
	if f.Store != "" {
		store, closer, err := OpenStore(ctx, f.Store)
		if err != nil {
			return err
		}
		a.closers = append(a.closers, closer)
		opts.Store = store
	}
	a.Client, err = pec.New(f.From, a.SMTP, a.IMAP, a.Verifier, opts)
	return err
}

// preset gives the preset asked for, with the flags put over it.
func (f *Flags) preset() (pec.Preset, error) {
	var p pec.Preset
	if f.Preset != "" {
		var ok bool
		if p, ok = pec.PresetNamed(f.Preset); !ok {
			return p, fmt.Errorf("no preset is named %q; there are %s", f.Preset, strings.Join(presetNames(), ", "))
		}
	}
	if f.SMTP != "" {
		p.SMTP.Value = f.SMTP
	}
	if f.IMAP != "" {
		p.IMAP.Value = f.IMAP
	}
	if p.SMTP.Value == "" || p.IMAP.Value == "" {
		return p, errors.New("-preset, or -smtp and -imap, are required")
	}
	return p, nil
}

// Roots trusts the servers that the CA in a PEM file vouches for; nil, which trusts
// the system's, without a file.
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
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// Verifier trusts the signing CAs or public keys in a PEM file, or the built-in ones
// without a file.
func Verifier(file string) (*envelope.Verifier, error) {
	anchors, err := Anchors(file)
	if err != nil {
		return nil, err
	}
	return envelope.NewVerifier(anchors, nil)
}

// Anchors are those in a PEM file; "" gives the built-in ones.
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
