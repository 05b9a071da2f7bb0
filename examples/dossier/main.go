// Dossier writes the evidence of one PEC into one zip: the original, every notice, and a
// report to print (package dossier of the library).
//
//	dossier -store FILE.db -key KEY -out FILE.zip [-anchors FILE.pem] [-legacy] [-lang it|en]
//	dossier -folder DIR [-message-id ID] -out FILE.zip [-anchors FILE.pem] [-legacy] [-lang it|en]
//
// The message was sent under a key and is in a store, or its .eml files, sent or received,
// are in a folder. The program prints what the evidence shows and what is missing, in the
// language of -lang, with a text in Italian that asks the provider for the missing part.
// pecverify verifies the zip.
//
// The exit status is 0 when the zip was written; 1 when there is no evidence of the message,
// or evidence of more than one message; 2 for wrong usage, or for files that cannot be read
// or written.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
)

func main() {
	os.Exit(run(program.Context(), os.Args[1:], os.Stdout, os.Stderr))
}

// request holds the flags.
type request struct {
	store, key        string
	folder, messageID string
	out, anchors      string
	legacy            bool
	language          dossier.Language
}

func (r request) check() error {
	switch {
	case r.out == "":
		return errors.New("-out is required")
	case r.folder != "" && r.store+r.key != "":
		return errors.New("-folder cannot be used with -store and -key")
	case r.folder == "" && (r.store == "" || r.key == ""):
		return errors.New("-store and -key, or -folder, are required")
	case r.folder == "" && r.messageID != "":
		return errors.New("-message-id needs -folder")
	case r.language != dossier.LanguageItalian && r.language != dossier.LanguageEnglish:
		return fmt.Errorf("-lang must be it or en, not %q", r.language)
	}
	return nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var r request
	set := program.Flags("dossier", "{-store FILE.db -key KEY | -folder DIR [-message-id ID]} -out FILE.zip [-anchors FILE.pem] [-legacy] [-lang it|en]")
	set.StringVar(&r.store, "store", "", "the SQLite `file` that knows the message")
	set.StringVar(&r.key, "key", "", "the `name` under which it was sent")
	set.StringVar(&r.folder, "folder", "", "the `directory` with its .eml files, in the place of a store")
	set.StringVar(&r.messageID, "message-id", "", "the Message-ID or identificativo of the message, where the folder holds several")
	set.StringVar(&r.out, "out", "", "the zip `file` to write; required")
	set.StringVar(&r.anchors, "anchors", "", "trust the signing CAs or public keys in this PEM `file` instead of the built-in ones")
	set.BoolVar(&r.legacy, "legacy", false, "admit certificates of the time before 2017")
	set.StringVar((*string)(&r.language), "lang", string(dossier.LanguageItalian), "the `language` of what is printed: it or en")
	if exit, goOn := program.Parse(set, args, stderr); !goOn {
		return exit
	}
	if err := r.check(); err != nil {
		return program.Fail(stderr, "dossier", err)
	}
	report, err := r.write(ctx)
	refused, nothing := errors.AsType[*dossier.Error](err)
	switch {
	case errors.Is(err, pec.ErrUnknownSend), nothing && (refused.Reason == dossier.ReasonUnknown || refused.Reason == dossier.ReasonAmbiguous):
		program.Fail(stderr, "dossier", err)
		return 1
	case err != nil:
		return program.Fail(stderr, "dossier", err)
	}
	if err := show(stdout, report, r.language); err != nil {
		return program.Fail(stderr, "dossier", err)
	}
	return 0
}

// write writes the file. It replaces an older one only once the new one is complete.
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
	store, closer, err := account.ReadStore(ctx, r.store)
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
