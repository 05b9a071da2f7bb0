package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/gopec/gopec/pec"
)

// invoice is a row of the application's own.
type invoice struct {
	Sender     string
	Recipients []string
	Number     string // unique for the sender
	Total      string
}

// enqueueIn records an invoice, and the job of sending it, in the caller's own
// transaction: with it both are there, or neither.
func (i invoice) enqueueIn(ctx context.Context, tx pgx.Tx, jobs *river.Client[pgx.Tx]) error {
	var id int64
	err := tx.QueryRow(ctx, "INSERT INTO fleet_invoices (sender, recipients, number, total) VALUES ($1, $2, $3, $4) RETURNING id",
		i.Sender, i.Recipients, i.Number, i.Total).Scan(&id)
	if err != nil {
		return err
	}
	_, err = jobs.InsertTx(ctx, tx, sendArgs{Key: i.key(), Invoice: id}, nil)
	return err
}

// findInvoice reads what was committed with the job.
func (f *fleet) findInvoice(ctx context.Context, id int64) (i invoice, err error) {
	err = f.pool.QueryRow(ctx, "SELECT sender, recipients, number, total FROM fleet_invoices WHERE id = $1", id).
		Scan(&i.Sender, &i.Recipients, &i.Number, &i.Total)
	return i, err
}

// key names the request: of all jobs with it one sends.
func (i invoice) key() string { return "invoice " + i.Number }

// message is the same each time that it is composed: the key stands for these
// addresses, words and files, and for no others.
func (i invoice) message(key string) pec.Message {
	return pec.Message{
		To:      i.Recipients,
		Subject: "Fattura n. " + i.Number,
		Text:    "In allegato la fattura.\n\nCordiali saluti",
		Attachments: []pec.Attachment{{
			Name: "fattura.txt", Type: "text/plain",
			Content: strings.NewReader(fmt.Sprintf("Fattura n. %s\nTotale: %s euro\n", i.Number, i.Total)),
		}},
		Key: key,
	}
}
