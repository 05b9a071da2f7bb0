package dossier

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// FromFolder takes the evidence from the .eml files of a folder and of all below it,
// such as notices saved from a webmail: about a message that some other program
// sent, or about a PEC that was received. The original is the one that is no PEC and
// has the Message-ID that the notices cite. Files about anything else are left out.
//
// messageID names the message. "" means that there is evidence of one message only:
// otherwise the error is an *Error with ReasonAmbiguous that lists them.
func FromFolder(folder fs.FS, messageID string) Source {
	return Source{func(ctx context.Context) (*evidence, error) {
		e := &evidence{facts: Facts{MessageID: messageID}}
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
