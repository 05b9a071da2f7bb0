package dossier

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// FromFolder takes the evidence from the .eml files of a folder and its subfolders, such as
// notices saved from a webmail. They may be about a message that another program sent, or
// about a PEC that was received. The original is the file that is not a PEC message and has
// the Message-ID and the sender that the notices name. Other files are ignored.
//
// messageID names the message: its Message-ID, or the identificativo that its provider
// gave it. If it is "", the folder must hold evidence of one message only; otherwise the
// error is an *Error with ReasonAmbiguous that lists the messages.
func FromFolder(folder fs.FS, messageID string) Source {
	return Source{func(ctx context.Context) (*evidence, error) {
		e := &evidence{facts: Recorded{MessageID: messageID}}
		err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !entry.IsDir() && strings.EqualFold(path.Ext(name), ".eml") {
				e.add(func(context.Context) (io.ReadCloser, error) { return folder.Open(name) })
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("dossier: reading the folder: %w", err)
		}
		return e, nil
	}}
}
