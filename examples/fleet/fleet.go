package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/provider"
	"github.com/gopec/gopec/pec/sqlstore"
)

// fleet is what one process uses: the database, and its own connections to the mailboxes.
type fleet struct {
	pool      *pgxpool.Pool
	db        *sql.DB // uses the same connections, for the Store
	store     *sqlstore.Store
	mailboxes map[string]*mailbox // by normalised address
	closers   []io.Closer
}

// mailbox is a client that sends one message at a time.
type mailbox struct {
	*pec.Client
	address string
	// turn holds a token while a message is sent. A mailbox has one SMTP connection, so
	// other messages wait here, before they touch the client.
	turn chan struct{}
}

// open makes the tables and the clients. It connects only to the database. Without a config
// file there are no mailboxes to use, only the facts in the store.
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
	preset := provider.Preset{}
	if preset.TLS, err = account.Roots(c.CA); err != nil {
		return f, err
	}
	if preset.Anchors, err = account.Anchors(c.Anchors); err != nil {
		return f, err
	}
	for _, l := range c.Accounts {
		p, err := c.provider(l)
		if err == nil {
			preset.SMTP, preset.IMAP = p.SMTP, p.IMAP
			err = f.add(preset, l)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// add makes the client of a mailbox.
func (f *fleet) add(preset provider.Preset, l login) error {
	who, err := l.pec()
	if err != nil {
		return err
	}
	conn, err := preset.Connect(who, nil)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, conn)
	client, err := conn.NewClient(l.Address, &pec.Options{Store: f.store})
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

// send waits for the mailbox's turn and sends a message.
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

// close closes all connections.
func (f *fleet) close() {
	for _, c := range f.closers {
		_ = c.Close() // an error does not matter: the connection is not needed any more
	}
	if f.db != nil {
		_ = f.db.Close()
	}
	if f.pool != nil {
		f.pool.Close()
	}
}
