// Dossier writes the evidence of one PEC into one zip: the original, every notice,
// and a report to print (package dossier of the library).
//
//	dossier -store FILE.db -key KEY -out FILE.zip [-anchors FILE.pem] [-legacy] [-lang it|en]
//	dossier -folder DIR [-message-id ID] -out FILE.zip [-anchors FILE.pem] [-legacy] [-lang it|en]
//
// The message is one that was sent under a key and is in a store, or one of which the
// .eml files are in a folder, sent or received. It tells what the evidence
// shows and what is missing, in the language of -lang, with a text in Italian that
// asks the provider for it. pecverify verifies the zip.
//
// The exit status is 0, 1 when there is no evidence of the message or of more than one,
// and 2 for wrong usage or what cannot be read or written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// request is what the flags ask for.
type request struct {
	store, key        string
	folder, messageID string
	out, anchors      string
	legacy            bool
	language          dossier.Language
}

func (r request) valid() bool {
	fromStore, fromFolder := r.store != "" && r.key != "", r.folder != ""
	return r.out != "" && fromStore != fromFolder && (r.store == "") == (r.key == "") && (r.messageID == "" || fromFolder) &&
		(r.language == dossier.Italian || r.language == dossier.English)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var r request
	set := flag.NewFlagSet("dossier", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: dossier {-store FILE.db -key KEY | -folder DIR [-message-id ID]} -out FILE.zip [-anchors FILE.pem] [-legacy] [-lang it|en]")
		set.PrintDefaults()
	}
	set.StringVar(&r.store, "store", "", "the SQLite `file` that knows the message")
	set.StringVar(&r.key, "key", "", "the `name` under which it was sent")
	set.StringVar(&r.folder, "folder", "", "the `directory` with its .eml files, in the place of a store")
	set.StringVar(&r.messageID, "message-id", "", "the Message-ID or identificativo of the message, where the folder holds several")
	set.StringVar(&r.out, "out", "", "the zip `file` to write; required")
	set.StringVar(&r.anchors, "anchors", "", "trust the signing CAs or public keys in this PEM `file` instead of the built-in ones")
	set.BoolVar(&r.legacy, "legacy", false, "admit certificates of the time before 2017")
	set.StringVar((*string)(&r.language), "lang", string(dossier.Italian), "the `language` of what is printed: it or en")
	if err := set.Parse(args); err != nil {
		return 2
	}
	if !r.valid() || set.NArg() > 0 {
		set.Usage()
		return 2
	}
	report, err := r.write(ctx)
	refused, nothing := errors.AsType[*dossier.Error](err)
	switch {
	case errors.Is(err, pec.ErrUnknownSend), nothing && (refused.Reason == dossier.ReasonUnknown || refused.Reason == dossier.ReasonAmbiguous):
		fmt.Fprintln(stderr, "dossier:", err)
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "dossier:", err)
		return 2
	}
	if err := show(stdout, report, r.language); err != nil {
		fmt.Fprintln(stderr, "dossier:", err)
		return 2
	}
	return 0
}

// write makes the file, and replaces an older one once the new one is whole.
func (r request) write(ctx context.Context) (*dossier.Report, error) {
	anchors, err := account.Anchors(r.anchors)
	if err != nil {
		return nil, err
	}
	source, closer, err := r.source(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	file, err := os.CreateTemp(filepath.Dir(r.out), ".dossier-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	report, err := dossier.Write(ctx, file, source, anchors, &dossier.Options{AllowLegacy: r.legacy})
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return report, os.Rename(file.Name(), r.out)
}

func (r request) source(ctx context.Context) (dossier.Source, io.Closer, error) {
	if r.folder != "" {
		root, err := os.OpenRoot(r.folder)
		if err != nil {
			return dossier.Source{}, nil, err
		}
		return dossier.FromFolder(root.FS(), r.messageID), root, nil
	}
	if _, err := os.Stat(r.store); err != nil {
		return dossier.Source{}, nil, err // a store is not made by looking for it
	}
	store, closer, err := account.OpenStore(ctx, r.store)
	if err != nil {
		return dossier.Source{}, nil, err
	}
	mailboxes, err := store.Mailboxes(ctx)
	for _, mailbox := range mailboxes {
		ledger, err := pec.NewLedger(mailbox, store, nil)
		if err != nil {
			return dossier.Source{}, nil, errors.Join(err, closer.Close())
		}
		id, err := ledger.MessageID(ctx, r.key)
		if errors.Is(err, pec.ErrUnknownSend) {
			continue
		}
		if err != nil {
			return dossier.Source{}, nil, errors.Join(err, closer.Close())
		}
		return dossier.FromLedger(ledger, id), closer, nil
	}
	if err == nil {
		err = fmt.Errorf("%q: %w", r.key, pec.ErrUnknownSend)
	}
	return dossier.Source{}, nil, errors.Join(err, closer.Close())
}
