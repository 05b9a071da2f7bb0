package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
	"github.com/gopec/gopec/smtpclient"
)

// fleet is what a process has of it: the database, and its own connections to the
// mailboxes.
type fleet struct {
	pool      *pgxpool.Pool
	db        *sql.DB // the same connections, for the Store
	store     *sqlstore.Store
	mailboxes map[string]*mailbox // by normalised address
	closers   []io.Closer
}

// mailbox is a Client and the turn to send with it.
type mailbox struct {
	*pec.Client
	address string
	// turn holds a token while a message is sent. A mailbox has one connection to
	// its access point: a message that waited for it with its attempt recorded would be
	// uncertain when the process dies, for nothing.
	turn chan struct{}
}

// open makes the tables and the clients. Nothing is connected but the database. With
// no config file there are no mailboxes to use, only what is known of them.
func open(ctx context.Context, url, file string) (f *fleet, err error) {
	f = &fleet{mailboxes: map[string]*mailbox{}}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	var c config
	if file != "" {
		if c, err = readConfig(file); err != nil {
			return f, err
		}
	}
	if f.pool, err = pgxpool.New(ctx, url); err != nil {
		return f, err
	}
	if err := migrate(ctx, f.pool); err != nil {
		return f, err
	}
	f.db = stdlib.OpenDBFromPool(f.pool)
	if f.store, err = sqlstore.OpenPostgres(ctx, f.db, nil); err != nil || file == "" {
		return f, err
	}
	roots, err := account.Roots(c.CA)
	if err != nil {
		return f, err
	}
	verifier, err := account.Verifier(c.Anchors)
	if err != nil {
		return f, err
	}
	for _, l := range c.Accounts {
		p, err := c.provider(l)
		if err == nil {
			err = f.add(p, l, roots, verifier)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// add makes the client of a mailbox.
func (f *fleet) add(p provider, l login, roots *tls.Config, verifier *envelope.Verifier) error {
	who, err := l.pec()
	if err != nil {
		return err
	}
	submitter, err := smtpclient.New(p.SMTP, who, &smtpclient.Options{TLS: roots})
	if err != nil {
		return err
	}
	f.closers = append(f.closers, submitter)
	reader, err := imapclient.New(p.IMAP, who, &imapclient.Options{TLS: roots})
	if err != nil {
		return err
	}
	f.closers = append(f.closers, reader)
	client, err := pec.New(l.Address, submitter, reader, verifier, &pec.Options{Store: f.store})
	if err != nil {
		return err
	}
	f.mailboxes[envelope.NormalizeAddress(l.Address)] = &mailbox{Client: client, address: l.Address, turn: make(chan struct{}, 1)}
	return nil
}

func (f *fleet) mailbox(address string) (*mailbox, error) {
	if m := f.mailboxes[envelope.NormalizeAddress(address)]; m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("%s is not in the config", address)
}

// send sends when it is this message's turn.
func (m *mailbox) send(ctx context.Context, message pec.Message) error {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-m.turn }()
	_, err := m.Send(ctx, message)
	return err
}

// close ends all connections.
func (f *fleet) close() {
	for _, c := range f.closers {
		_ = c.Close() // of a connection that is not needed any more
	}
	if f.db != nil {
		_ = f.db.Close()
	}
	if f.pool != nil {
		f.pool.Close()
	}
}
