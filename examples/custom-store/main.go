// Custom-store shows a pec.Store of your own: an append-only file. The store is in
// store.go, and its test runs storetest, the contract that every store must pass. The
// program records a fact twice, as two processes would: the second finds it recorded, and
// would not send the message again.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(program.Fail(os.Stderr, "custom-store", fmt.Errorf("it takes no arguments, and %q is one", os.Args[1])))
	}
	if err := run(program.Context(), os.Stdout); err != nil {
		os.Exit(program.Fail(os.Stderr, "custom-store", err))
	}
}

func run(ctx context.Context, out io.Writer) error {
	folder, err := os.MkdirTemp("", "custom-store")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "facts.jsonl")

	const mailbox, send = "me@pec.example", "1@pec.example"
	for process := 1; process <= 2; process++ {
		store, err := openFileStore(path)
		if err != nil {
			return err
		}
		message := strings.NewReader("From: me@pec.example\r\n\r\n")
		added, err := store.Append(ctx, mailbox,
			pec.Entry{Key: "intent " + send, Send: send, At: time.Now(), Data: []byte(`{}`), Raw: io.NewSectionReader(message, 0, message.Size())})
		if err != nil {
			return err
		}
		if added {
			fmt.Fprintf(out, "process %d: the intent is recorded, and the message may leave\n", process)
		} else {
			fmt.Fprintf(out, "process %d: the intent was recorded before, and nothing is sent twice\n", process)
		}
		entries, err := store.Entries(ctx, mailbox, send)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "process %d: %d entry about %s\n", process, len(entries), send)
		if err := store.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file.
func (s *fileStore) Close() error { return s.file.Close() }

// syncFolder makes the name of a new file durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
