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
	// Since leaves out messages from before it in a folder that is read for the first
	// time, as imapclient.Options.Since does. Zero means all messages.
	Since time.Time
	// KeepSent saves a copy of each submitted message in the folder of sent messages.
	// False saves none.
	KeepSent bool
	// Logger is passed to every part; nil means silent.
	Logger *slog.Logger
}

// Connection holds the parts that use one login to a provider. Connect makes it. Close it
// after the last use.
type Connection struct {
	Submitter  *smtpclient.Client
	Mailbox    *imapclient.Client
	SentFolder *imapclient.SentFolder // nil unless Options.KeepSent
	Verifier   *envelope.Verifier

	limits pec.Limits
	logger *slog.Logger
}

// Connect assembles what is needed to send and to read with a login. It opens no
// connection: that happens at the first use. It returns an *smtpclient.Error or an
// *imapclient.Error when a server, the login or the TLS settings cannot be used, and
// envelope.ErrNoAnchors when Anchors is empty but not nil.
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

// Client returns a pec.Client for the mailbox with the given address. Limits, SentFolder
// and Logger come from the Connection where opts does not set them; nil opts is the zero
// value. It returns the errors of pec.New.
func (c *Connection) NewClient(address string, opts *pec.Options) (*pec.Client, error) {
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
	// A nil pointer in an interface is not a nil interface, which pec.New refuses.
	var submitter pec.Submitter
	if c.Submitter != nil {
		submitter = c.Submitter
	}
	var mailbox pec.Mailbox
	if c.Mailbox != nil {
		mailbox = c.Mailbox
	}
	return pec.New(address, submitter, mailbox, c.Verifier, &o)
}

// Close closes the connections to the servers.
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
