package imapclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

func TestSentFolder(t *testing.T) {
	testenv.NoLeak(t)
	// These headers only contain our Message-ID.
	f := newFake(t,
		"Message-ID: <xx<abc@pec.example>\r\n\r\n",
		"X: y\r\nMessage-ID: <abc@pec.example>x\r\n\r\n",
		"References: <abc@pec.example>\r\n\r\n",
	)
	f.list = "* LIST (\\Sent) \".\" INBOX.Inviata\r\n"
	s := f.sent(t, nil)
	require.NoError(t, save(s))
	require.NoError(t, save(s))
	require.Len(t, f.mails, 4)
	assert.Equal(t, ours, f.mails[3].text)
	assert.Equal(t, []string{`APPEND "INBOX.Inviata" (\Seen) {51}`}, f.heard("APPEND"))
	assert.Empty(t, f.heard("SELECT"))
	assert.Len(t, f.heard("LIST"), 1, "the folder is looked for once")
	assert.Equal(t, 1, f.dials)

	// Another spelling of the field's name.
	f.lock(func() { f.mails[3].text = "MESSAGE-Id:   <abc@pec.example> \r\n\r\n" })
	require.NoError(t, save(s))
	require.Len(t, f.mails, 4)
	s.Close()
}

// TestSentReplyLost ends the connection after the copy and before the reply.
func TestSentReplyLost(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t)
	f.mute = 1
	s := f.sent(t, &imapclient.SentOptions{Folder: "Sent"})
	checkReason(t, save(s), imapclient.ReasonNetwork)
	require.NoError(t, save(s))
	assert.Len(t, f.mails, 1)
	assert.Len(t, f.heard("APPEND"), 1)
	s.Close()
}

func TestSentRefused(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t)
	s := f.sent(t, &imapclient.SentOptions{Folder: "Sent"})
	f.refuse["APPEND"] = "NO [OVERQUOTA] full"
	checkReason(t, save(s), imapclient.ReasonRefused)
	f.lock(func() { delete(f.refuse, "APPEND"); f.refuse["SEARCH"] = "BAD what" })
	checkReason(t, save(s), imapclient.ReasonRefused)
	assert.Empty(t, f.mails, "no copy without a search before")
	f.lock(func() { delete(f.refuse, "SEARCH") })
	require.NoError(t, save(s))
	s.Close()
}

// TestSentBody saves bodies that fail or have another size than the one given.
func TestSentBody(t *testing.T) {
	testenv.NoLeak(t)
	broken := errors.New("the disk is gone")
	size := int64(len(ours))
	cases := []struct {
		name string
		size int64
		body io.Reader
		err  error
	}{
		{"shorter", size + 1, strings.NewReader(ours), nil},
		{"shorter by a line end", size + 2, strings.NewReader(ours), nil},
		{"longer", size - 1, strings.NewReader(ours), nil},
		{"empty", 0, strings.NewReader(""), nil},
		{"negative", -1, strings.NewReader(ours), nil},
		{"broken", size, io.MultiReader(strings.NewReader(ours[:9]), iotest.ErrReader(broken)), broken},
		{"broken at the end", size, io.MultiReader(strings.NewReader(ours), iotest.ErrReader(broken)), broken},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			s := f.sent(t, &imapclient.SentOptions{Folder: "Sent"})
			err := s.Save(context.Background(), "<abc@pec.example>", c.size, c.body)
			checkReason(t, err, imapclient.ReasonArgument)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
			}
			require.NoError(t, save(s))
			assert.Len(t, f.mails, 1, "no copy was left")
			s.Close()
		})
	}
}

func TestSentFolderChoice(t *testing.T) {
	cases := []struct{ name, list, want string }{
		{"special use", "* LIST () \"/\" Sent\r\n* LIST (\\HasNoChildren \\Sent) \"/\" \"Le mie\"\r\n", "Le mie"},
		{"special use without messages", "* LIST (\\Noselect \\Sent) \".\" All\r\n* LIST () \".\" INBOX.Inviata\r\n", "INBOX.Inviata"},
		{"Aruba", "* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.Inviata\r\n* LIST () \".\" INBOX.Cestino\r\n", "INBOX.Inviata"},
		{"Legalmail", "* LIST () \"/\" INBOX\r\n* LIST () \"/\" INBOX/Spedite\r\n", "INBOX/Spedite"},
		{"in words", "* LIST () \"/\" \"Posta inviata\"\r\n", "Posta inviata"},
		{"flat", "* LIST () NIL Sent\r\n* LIST () NIL INBOXSent\r\n", "Sent"},
		{"one inside", "* LIST () \".\" Archivio.Inviata\r\n* LIST () \".\" INBOXInviata\r\n", ""},
		{"none", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.list = c.list
			err := save(f.sent(t, nil))
			if c.want == "" {
				checkReason(t, err, imapclient.ReasonFolder)
				assert.Empty(t, f.heard("APPEND"))
				return
			}
			require.NoError(t, err)
			assert.Contains(t, f.heard("APPEND")[0], c.want)
		})
	}
}

func TestNewSentFolder(t *testing.T) {
	_, err := imapclient.NewSentFolder("imap.pec.example", pec.Password(user, secret), nil)
	checkReason(t, err, imapclient.ReasonConfig)
	_, err = imapclient.NewSentFolder("imap.pec.example:993", pec.Password(user, secret), &imapclient.SentOptions{TLS: &tls.Config{InsecureSkipVerify: true}})
	checkReason(t, err, imapclient.ReasonConfig)
}

// TestOnlySentWrites reads the code: the only command that changes a mailbox is the
// APPEND in sent.go.
func TestOnlySentWrites(t *testing.T) {
	writes := []string{
		"Append", "Store", "Copy", "Move", "Expunge", "UIDExpunge", "Create", "Delete", "Rename",
		"Subscribe", "Unsubscribe", "SetACL", "SetMetadata", "SetQuota", "UnselectAndExpunge",
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(writes, f.Sel.Name) {
				return true
			}
			if of, ok := f.X.(*ast.Ident); !ok || of.Name != "io" {
				found++
				assert.Equal(t, "sent.go Append", name+" "+f.Sel.Name)
			}
			return true
		})
	}
	assert.Equal(t, 1, found)
}
