package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/inbound"
)

// exchange is the exchange system, as seen from one mailbox.
type exchange struct {
	*account.Account
	first  string // the address for invoices until the first answer; its domain is the exchange system's
	folder string // holds the answers and the address for later invoices
}

// addressFile holds the address for invoices since the first answer.
const addressFile = "address.txt"

// recipient returns the address for an invoice. One that was sent before keeps its address,
// because its key stands for that address too.
func (x *exchange) recipient(ctx context.Context, stem string) (string, error) {
	id, err := x.MessageID(ctx, stem)
	if err == nil {
		status, err := x.Status(ctx, id)
		if err != nil {
			return "", err
		}
		return status.Recipients[0].Address, nil
	}
	if !errors.Is(err, pec.ErrUnknownSend) {
		return "", err
	}
	learnt, err := os.ReadFile(filepath.Join(x.folder, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return x.first, nil
	}
	return strings.TrimSpace(string(learnt)), err
}

// send sends an invoice once, however often it is called. The key has no extension, so an
// invoice and its signed form are one invoice.
func (x *exchange) send(ctx context.Context, path string) (id string, err error) {
	name := filepath.Base(path)
	key, err := stem(name)
	if err != nil {
		return "", err
	}
	to, err := x.recipient(ctx, key)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	mediaType := "application/xml"
	if strings.HasSuffix(name, ".p7m") {
		mediaType = "application/pkcs7-mime"
	}
	id, err = x.Send(ctx, pec.Message{
		To: []string{to}, Subject: name, Text: "Si trasmette il file " + name + ".",
		Attachments: []pec.Attachment{{Name: name, Type: mediaType, Content: f}},
		Key:         key,
	})
	if _, recorded := errors.AsType[*pec.SendError](err); recorded {
		return id, nil // the status says what became of it
	}
	return id, err
}

// take keeps the answers in a PEC that are about invoices of ours. Anybody can send a file
// with such a name, and only the certified sender says who did. A program that believed
// strangers would report refusals that never happened, and send the next invoices to them.
func (x *exchange) take(ctx context.Context, in *inbound.Message) ([]answer, error) {
	if in.Kind != envelope.KindTransport || !strings.EqualFold(domain(in.Sender), domain(x.first)) {
		return nil, nil
	}
	var taken []answer
	for file, err := range in.Attachments() {
		a, ok := parseAnswer(file.Name)
		if err == nil && (!ok || file.Defect != nil) {
			continue
		}
		if err == nil {
			_, err = x.MessageID(ctx, a.stem)
		}
		if errors.Is(err, pec.ErrUnknownSend) {
			continue // not about an invoice of ours
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(file.Open())
		}
		if err != nil {
			return taken, err
		}
		if err := errors.Join(x.keep(a.file, content), x.keep(addressFile, []byte(in.Sender+"\n"))); err != nil {
			return taken, err
		}
		taken = append(taken, a)
	}
	return taken, nil
}

// keep writes a file, completely or not at all. An existing file stays unchanged.
func (x *exchange) keep(name string, content []byte) error {
	path := filepath.Join(x.folder, name)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.CreateTemp(x.folder, ".sdi-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func domain(address string) string {
	_, d, _ := strings.Cut(address, "@")
	return d
}
