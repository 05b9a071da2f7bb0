package imapclient

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// MailboxInfo is what a server says about a mailbox.
type MailboxInfo struct {
	// Capabilities are those of the server after the login, sorted.
	Capabilities []string
	// Idle is true if Wait learns of new messages at once; otherwise it polls.
	Idle bool
	// Folders are all folders of the mailbox, in the server's order.
	Folders []Folder
	// Read are the folders of Options.Folders, in their order.
	Selected []FolderState
	// Quota is that of INBOX; nil if the server does not report one.
	Quota *Quota
}

// FolderState is the state of a folder that is read.
type FolderState struct {
	Name        string // as in Options.Folders
	UIDValidity uint32 // zero if Err is set
	Messages    uint32 // how many it holds; zero if Err is set
	Err         error  // an *Error if the folder cannot be opened, else nil
}

// Quota is how full a mailbox is, in bytes (RFC 9208, 5.1). The server counts in units
// of 1024 bytes.
type Quota struct{ Used, Limit int64 }

// MailboxInfo logs in and returns what the server can do, the folders and the quota. It
// changes nothing. A folder that cannot be opened does not make Probe fail: its
// FolderState says so.
func (c *Client) Probe(ctx context.Context) (*MailboxInfo, error) {
	t, err := c.begin(ctx, "probe")
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := t.ready(); err != nil {
		return nil, err
	}
	p, err := t.probe()
	t.sound = err == nil
	return p, err
}

func (t *turn) probe() (*MailboxInfo, error) {
	caps := t.client.session.caps
	p := &MailboxInfo{Idle: caps.Has(imap.CapIdle)}
	for name := range caps {
		p.Capabilities = append(p.Capabilities, string(name))
	}
	slices.Sort(p.Capabilities)
	var err error
	if p.Folders, err = t.folders(); err != nil {
		return nil, err
	}
	if caps.Has(imap.CapQuota) {
		if p.Quota, err = t.quota(); err != nil {
			return nil, err
		}
	}
	for _, name := range t.client.options.Folders {
		state := FolderState{Name: name}
		box, err := t.examine(name)
		var known *Error
		switch {
		case err == nil:
			state.UIDValidity, state.Messages = box.UIDValidity, box.NumMessages
		case errors.As(err, &known) && known.Folder != "":
			state.Err = err
		default:
			return nil, err
		}
		p.Selected = append(p.Selected, state)
	}
	return p, nil
}

// quota returns the storage quota of INBOX, nil if the server refuses or has none.
func (t *turn) quota() (*Quota, error) {
	s := t.client.session
	s.conn.allow(quick)
	roots, err := await(s, func() ([]goimap.QuotaData, error) { return s.imap.GetQuotaRoot("INBOX").Wait() })
	if err != nil {
		if isReply(err) && t.ctx.Err() == nil {
			return nil, nil
		}
		return nil, t.fail("quota", err)
	}
	for _, root := range roots {
		if storage, ok := root.Resources[imap.QuotaResourceStorage]; ok {
			return &Quota{Used: kibibytes(storage.Usage), Limit: kibibytes(storage.Limit)}, nil
		}
	}
	return nil, nil
}

func kibibytes(n int64) int64 { return min(n, math.MaxInt64>>10) << 10 }
