package imapclient

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// SentOptions are the optional settings of a SentFolder. Nil means the zero value.
type SentOptions struct {
	// TLS is as in Options.
	TLS *tls.Config
	// Timeout is as in Options.
	Timeout time.Duration
	// Folder is the folder to save to. It is never created. "" means the one that the
	// server marks as \Sent (RFC 6154, 2), or else one with a name that providers are
	// known to use.
	Folder string
	// Logger is as in Options.
	Logger *slog.Logger
}

// SentFolder is the pec.SentFolder over IMAPS, with a connection of its own. Nothing
// else in this package writes to a mailbox, and a SentFolder only adds messages. It is
// safe for concurrent use. Close it after its last use.
type SentFolder struct {
	client *Client
	fixed  bool   // folder is SentOptions.Folder
	folder string // belongs to whoever has the turn; "" while it is not known
}

var _ pec.SentFolder = (*SentFolder)(nil)

// NewSentFolder returns a SentFolder for the server at addr (host:port). It does not
// connect. Its error is an *Error with ReasonConfig.
func NewSentFolder(addr string, login pec.Login, opts *SentOptions) (*SentFolder, error) {
	if opts == nil {
		opts = &SentOptions{}
	}
	client, err := New(addr, login, &Options{TLS: opts.TLS, Timeout: opts.Timeout, Logger: opts.Logger})
	if err != nil {
		return nil, err
	}
	return &SentFolder{client: client, fixed: opts.Folder != "", folder: opts.Folder}, nil
}

// Close ends the connection, as Client.Close does.
func (s *SentFolder) Close() error { return s.client.Close() }

// Save implements pec.SentFolder. The message is marked as read. If the server sends no
// reply, the folder may or may not have the copy: the next Save looks first. Two
// processes that save the same message at the same moment can leave two copies. size
// must be the size of body in bytes; otherwise Save leaves no copy, and its error has
// ReasonArgument.
func (s *SentFolder) Save(ctx context.Context, messageID string, size int64, body io.Reader) error {
	if !fitsHeader(messageID) {
		return &Error{Op: "save", Reason: ReasonArgument, Err: errMessageID}
	}
	if size <= 0 {
		return &Error{Op: "save", Reason: ReasonArgument, Err: errSize}
	}
	t, err := s.client.begin(ctx, "save")
	if err != nil {
		return err
	}
	defer t.end()
	box, err := s.open(t)
	if err != nil {
		return err
	}
	there, err := t.holds(box, s.folder, messageID)
	if err != nil || there {
		t.settle(err)
		return err
	}
	return t.add(s.folder, size, body)
}

// open examines the folder. It looks for it first if it is not known.
func (s *SentFolder) open(t *turn) (*imap.SelectData, error) {
	if s.folder == "" {
		if err := t.ready(); err != nil {
			return nil, err
		}
		folders, err := t.folders()
		if err != nil {
			t.settle(err)
			return nil, err
		}
		if s.folder = sentFolder(folders); s.folder == "" {
			t.sound = true
			return nil, &Error{Op: "list", Reason: ReasonFolder, Err: errNoSent}
		}
	}
	box, err := t.examine(s.folder)
	if err != nil && !s.fixed {
		s.folder = ""
	}
	return box, err
}

// holds reports whether the folder has a message with the Message-ID. SEARCH also finds
// fields that merely contain it (RFC 9051, 6.4.4), so the headers are compared.
func (t *turn) holds(box *imap.SelectData, folder, messageID string) (bool, error) {
	f := &fetch{
		turn: t, cursor: pec.Cursor{Folder: folder, UIDValidity: box.UIDValidity}, fields: []string{"Message-ID"},
		judge: func(header []byte, _ bool) bool {
			for name, value := range headerFields(header) {
				if strings.EqualFold(name, "Message-ID") && envelope.SameMessageID(value, messageID) {
					return true
				}
			}
			return false
		},
	}
	uids, err := f.searchHeader("Message-ID", messageID)
	if err != nil {
		return false, err
	}
	for part := range slices.Chunk(uids, headBatch) {
		heads, err := f.heads(part)
		if slices.ContainsFunc(heads, func(h head) bool { return h.wanted }) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// add appends the message to the folder. The command is complete only once the whole
// body has been read and has the right size. If the connection ends before that, the
// server discards the message (RFC 9051, 6.3.12).
func (t *turn) add(folder string, size int64, body io.Reader) error {
	s := t.client.session
	s.conn.allow(quick)
	s.conn.hush() // the library must not read the end of a command that it has not sent yet
	command, err := await(s, func() (*goimap.AppendCommand, error) {
		return s.imap.Append(folder, size, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}}), nil
	})
	if err != nil {
		return t.fail("save", err)
	}
	s.rest() // the server sends nothing while it receives the message
	if err := t.pour(command, body, size); err != nil {
		s.conn.Close()
		_ = s.done(command.Close) // releases the library's lock
		return err
	}
	s.due()
	if err := s.done(command.Close); err != nil {
		return t.fail("save", err)
	}
	if _, err := await(s, command.Wait); err != nil {
		return t.fail("save", err)
	}
	t.sound = true
	return nil
}

// pour writes a body that must have size bytes.
func (t *turn) pour(w io.Writer, body io.Reader, size int64) error {
	src := &source{Reader: body}
	_, err := io.CopyN(w, src, size)
	if err == nil {
		if more, _ := io.ReadFull(src, make([]byte, 1)); more > 0 {
			err = io.EOF
		}
	}
	switch {
	case src.err != nil:
		return &Error{Op: "save", Reason: ReasonArgument, Err: src.err}
	case err == io.EOF:
		return &Error{Op: "save", Reason: ReasonArgument, Err: errSize}
	case err != nil:
		return t.fail("save", err)
	}
	return nil
}

// source keeps the error of a body apart from those of the connection.
type source struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
