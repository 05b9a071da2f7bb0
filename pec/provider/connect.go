package provider

import (
	"errors"
	"log/slog"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// Options are the optional settings of Connect. Nil is the zero value.
type Options struct {
	// Folders are the folders to read; nil means INBOX.
	Folders []string
	// Since leaves out older messages where a folder is read from its beginning, as in
	// imapclient.Options; zero means all.
	Since time.Time
	// KeepSent saves a copy of each message that was submitted in the folder of sent
	// messages. False saves none.
	KeepSent bool
	// Logger is given to each part; nil is silent.
	Logger *slog.Logger
}

// Connection is what one login to a provider needs. Close it after the last use.
type Connection struct {
	Submitter  *smtpclient.Client
	Mailbox    *imapclient.Client
	SentFolder *imapclient.SentFolder // nil unless Options.KeepSent
	Verifier   *envelope.Verifier

	limits pec.Limits
	logger *slog.Logger
}

// Connect puts together what is needed to send and to read with a login. Nothing is
// connected yet. The error is an *smtpclient.Error or an *imapclient.Error where a server
// or the login cannot be used, or envelope.ErrNoAnchors.
func (p Preset) Connect(login pec.Login, opts *Options) (*Connection, error) {
	if opts == nil {
		opts = &Options{}
	}
	anchors := p.Anchors
	if anchors == nil {
		anchors = envelope.BuiltinAnchors()
	}
	c := &Connection{limits: p.Limits, logger: opts.Logger}
	var errs [4]error
	c.Verifier, errs[0] = envelope.NewVerifier(anchors, nil)
	c.Submitter, errs[1] = smtpclient.New(p.SMTP, login, &smtpclient.Options{
		TLS: p.TLS, PerMinute: p.PerMinute, Throttles: p.Throttles, Logger: opts.Logger,
	})
	c.Mailbox, errs[2] = imapclient.New(p.IMAP, login, &imapclient.Options{
		TLS: p.TLS, Folders: opts.Folders, Since: opts.Since, Logger: opts.Logger,
	})
	if opts.KeepSent {
		c.SentFolder, errs[3] = imapclient.NewSentFolder(p.IMAP, login, &imapclient.SentOptions{
			TLS: p.TLS, Folder: p.SentFolder, Logger: opts.Logger,
		})
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Client returns the pec.Client of the mailbox with the given address. What opts leaves
// unset of the limits, the folder of sent messages and the logger is that of the
// Connection. It fails as pec.New does.
func (c *Connection) Client(address string, opts *pec.Options) (*pec.Client, error) {
	var o pec.Options
	if opts != nil {
		o = *opts
	}
	if o.Limits == (pec.Limits{}) {
		o.Limits = c.limits
	}
	if o.SentFolder == nil && c.SentFolder != nil {
		o.SentFolder = c.SentFolder
	}
	if o.Logger == nil {
		o.Logger = c.logger
	}
	return pec.New(address, c.Submitter, c.Mailbox, c.Verifier, &o)
}

// Close ends the connections.
func (c *Connection) Close() error {
	var errs []error
	if c.Submitter != nil {
		errs = append(errs, c.Submitter.Close())
	}
	if c.Mailbox != nil {
		errs = append(errs, c.Mailbox.Close())
	}
	if c.SentFolder != nil {
		errs = append(errs, c.SentFolder.Close())
	}
	return errors.Join(errs...)
}
