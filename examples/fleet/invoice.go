package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/gopec/gopec/pec"
)

// invoice is a row in a table of the application.
type invoice struct {
	Sender     string
	Recipients []string
	Number     string // unique for the sender
	Total      string
}

// enqueueIn records an invoice, and the job that sends it, in the caller's transaction. Both
// are committed, or neither.
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

// findInvoice returns the invoice that was committed with a job.
func (f *fleet) findInvoice(ctx context.Context, id int64) (i invoice, err error) {
	err = f.pool.QueryRow(ctx, "SELECT sender, recipients, number, total FROM fleet_invoices WHERE id = $1", id).
		Scan(&i.Sender, &i.Recipients, &i.Number, &i.Total)
	return i, err
}

// key names the request. Only one of all jobs with the same key sends.
func (i invoice) key() string { return "invoice " + i.Number }

// message returns the same message each time. The key stands for exactly these addresses,
// texts and files.
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
