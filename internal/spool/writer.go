package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// Writer takes a message of any length, to be read as a Spool. Its zero value is
// ready; one that is given up is closed.
type Writer struct {
	head bytes.Buffer // all of it, as long as there is no file
	out  Spool
}

// Grow makes room for a message of about that many bytes, so far as it is kept in memory.
func (w *Writer) Grow(size int64) { w.head.Grow(int(min(max(size, 0), MemoryLimit))) }

// Write adds to the message.
func (w *Writer) Write(p []byte) (int, error) {
	if w.out.file == nil && w.head.Len()+len(p) <= MemoryLimit {
		w.out.size += int64(len(p))
		return w.head.Write(p)
	}
	if w.out.file == nil {
		if err := w.toFile(); err != nil {
			return 0, err
		}
	}
	n, err := w.out.file.Write(p)
	w.out.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("spool: %w", err)
	}
	return n, nil
}

func (w *Writer) toFile() error {
	f, err := os.CreateTemp("", "pec-*.eml")
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	w.out.file = f
	// The name goes at once: however the process ends, no copy of the message stays.
	// Some systems do not let go of the name of an open file.
	if os.Remove(f.Name()) != nil {
		w.out.name = f.Name()
	}
	if _, err := f.Write(w.head.Bytes()); err != nil {
		return errors.Join(fmt.Errorf("spool: %w", err), w.Close())
	}
	w.head = bytes.Buffer{}
	return nil
}

// Spool ends the writing and gives what was written. The Writer is empty again.
func (w *Writer) Spool() *Spool {
	s := w.out
	s.ReaderAt = s.file
	if s.file == nil {
		s.ReaderAt = bytes.NewReader(w.head.Bytes())
	}
	*w = Writer{}
	return &s
}

// Close gives up what was written.
func (w *Writer) Close() error {
	err := w.out.Close()
	*w = Writer{}
	return err
}
