package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

// The op of a FuzzDialogue input says what the client does and how the server behaves.
const (
	dialogueFetch byte = iota
	dialogueSearch
	dialogueSave
	dialogueProbe
	dialogueWait
	dialogueToken
	dialogueOperations

	dialogueSilent byte = 1 << 7
)

// says joins the turns of a server.
func says(turns ...string) []byte { return []byte(strings.Join(turns, testenv.Turn)) }

// ok is the end of an answer, with or without a code.
func ok(code ...string) string {
	return testenv.Tag + " OK " + strings.Join(append(code, "done\r\n"), " ")
}

// dialogues returns what a server says: whole dialogues of each operation, and attacks on
// the library and on the client.
func dialogues() (all []struct {
	op   byte
	says []byte
}) {
	add := func(op byte, turns ...string) {
		all = append(all, struct {
			op   byte
			says []byte
		}{op, says(turns...)})
	}
	const (
		caps = "CAPABILITY IMAP4rev1 IDLE QUOTA SASL-IR AUTH=PLAIN AUTH=XOAUTH2"
		box  = "* 1 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n"
		head = "* 1 FETCH (UID 1 RFC822.SIZE 9 INTERNALDATE \"21-Nov-2026 10:00:00 +0100\" BODY[HEADER.FIELDS (X-Ricevuta)] {17}\r\nX-Ricevuta: a\r\n\r\n)\r\n"
		body = "* 1 FETCH (UID 1 BODY[] {9}\r\nciao\r\nxyz)\r\n"
	)
	login := []string{"* OK [" + caps + "] hello\r\n", "* " + caps + "\r\n" + ok(), ok("[" + caps + "]"), "* " + caps + "\r\n" + ok()}
	at := func(n int, turns ...string) []string { return append(login[:n:n], turns...) }
	open := at(4, box+ok())
	read := append(open[:5:5], "* SEARCH 1\r\n"+ok(), head+ok(), body+ok())
	list := "* LIST (\\Sent) \"/\" Sent\r\n* LIST (\\HasChildren) NIL {5}\r\nINBOX (CHILDINFO (\"SUBSCRIBED\"))\r\n" + ok()
	quota := "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 10 512)\r\n" + ok()
	add(dialogueFetch, read...)
	add(dialogueFetch|dialogueSilent, read...)
	add(dialogueFetch, at(4, box+ok(), "* ESEARCH (TAG \"x\") UID ALL 1\r\n"+ok(), head+ok(), body+ok())...)
	add(dialogueSearch, read...)
	add(dialogueSave, at(4, list, box+ok(), "* SEARCH\r\n"+ok(), "+ go\r\n", "", "", "", "", "T7 OK [APPENDUID 7 2] done\r\n")...)
	add(dialogueProbe, at(4, list, quota, box+ok())...)
	add(dialogueWait, append(read[:8:8], box+ok(), "+ idling\r\n* 2 EXISTS\r\n", ok())...)
	add(dialogueWait|dialogueSilent, append(read[:8:8], box+ok(), "+ idling\r\n")...)
	add(dialogueToken, at(2, "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n", "T2 NO refused\r\n")...)
	add(dialogueFetch, "* BYE not now\r\n")

	// The library would read for ever, or for very long.
	for _, mode := range []byte{0, dialogueSilent} {
		add(dialogueFetch|mode, "* OK [CAPABILITY (\r\n")
		add(dialogueFetch|mode, at(1, "* CAPABILITY (\r\n")...)
		add(dialogueFetch|mode, at(1, "* CAPABILITY IMAP4rev1 (A)\r\n"+ok())...)
		add(dialogueFetch|mode, at(2, testenv.Tag+" OK [CAPABILITY X (\r\n")...)
		add(dialogueFetch|mode, at(2, testenv.Tag+" NO [capability\r\n* x] (\r\n")...)
		add(dialogueFetch|mode, at(1, "* OK [X y\r\n] x\r\n* 5 CAPABILITY (\r\n")...)
		// The library would wait for what has passed: the command ends together with the
		// line that asks the client to go on.
		add(dialogueFetch|mode, at(2, "+ \r\n"+testenv.Tag+" OK done\r\n")...)
		add(dialogueToken|mode, at(2, "+ e30=\r\n"+testenv.Tag+" NO x\r\n")...)
		add(dialogueSave|mode, at(4, list, box+ok(), "* SEARCH\r\n"+ok(), "+ go\r\n"+testenv.Tag+" NO x\r\n")...)
		add(dialogueWait|mode, append(read[:8:8], box+ok(), "+ idling\r\n"+testenv.Tag+" NO x\r\n+ again\r\n")...)
	}
	var backwards strings.Builder
	for i := 300_000; i > 0; i-- {
		fmt.Fprintf(&backwards, " %d", 2*i)
	}
	add(dialogueFetch, append(open[:5:5], "* SEARCH"+backwards.String()+"\r\n"+ok())...)
	add(dialogueFetch, append(open[:5:5], "* ESEARCH UID ALL "+strings.ReplaceAll(backwards.String()[1:], " ", ",")+"\r\n"+ok())...)
	add(dialogueFetch, append(open[:5:5], "* OK [COPYUID 1 "+strings.ReplaceAll(backwards.String()[1:], " ", ",")+" 1] x\r\n"+ok())...)
	subject := strings.Repeat("=?utf-8?q?", 100_000) + "?="
	add(dialogueFetch, append(open[:5:5], "* 1 FETCH (ENVELOPE (NIL \""+subject+"\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n"+ok())...)
	add(dialogueFetch, append(open[:5:5], "* 1 FETCH (BODYSTRUCTURE "+strings.Repeat("(", 100_000)+"\r\n"+ok())...)
	add(dialogueFetch, append(open[:5:5], "* THREAD "+strings.Repeat("(", 100_000)+"\r\n* SEARCH 1\r\n"+ok(), head+ok(), body+ok())...)
	add(dialogueFetch, append(open[:5:5], "* XFOO {3}\r\n(((\r\n* SEARCH 1\r\n"+ok(), head+ok(), body+ok())...)
	add(dialogueProbe, at(4, "* LIST () \"/\" \"&"+strings.Repeat("AOk-&", 10_000)+"\"\r\n"+ok())...)
	return all
}

// TestDialogues shows that the seeds of whole dialogues succeed.
func TestDialogues(t *testing.T) {
	stage := testenv.NewStage(t)
	for i, seed := range dialogues()[:8] {
		if seed.op&dialogueSilent != 0 {
			continue
		}
		wait := stage.Play(testenv.Script{Says: seed.says})
		assert.NoError(t, converse(t.Context(), stage, seed.op, time.Minute), "%d", i)
		wait()
	}
}

// FuzzDialogue plays arbitrary input as the server. Every call ends soon after its
// context, returns nil or an error of a known type, and leaves nothing running.
func FuzzDialogue(f *testing.F) {
	seeds := dialogues()
	require.Len(f, seeds, 38)
	for _, seed := range seeds {
		f.Add(seed.op, seed.says)
	}
	stage := testenv.NewStage(f)
	f.Fuzz(func(t *testing.T, op byte, said []byte) {
		wait := stage.Play(testenv.Script{Says: said, Silent: op&dialogueSilent != 0})
		patience := 5 * time.Second
		if op&dialogueSilent != 0 {
			patience = 20 * time.Millisecond
		}
		testenv.Watch(t, patience, func(ctx context.Context) {
			defer wait()
			err := converse(ctx, stage, op&^dialogueSilent%dialogueOperations, 100*time.Millisecond)
			var (
				known   *imapclient.Error
				refused *pec.LoginError
				one     *pec.MessageError
			)
			assert.True(t, err == nil || errors.As(err, &known) || errors.As(err, &refused) || errors.As(err, &one), "%v", err)
		})
	})
}

// converse does one operation.
func converse(ctx context.Context, stage *testenv.Stage, op byte, timeout time.Duration) error {
	if op == dialogueSave {
		s, err := imapclient.NewSentFolder(stage.Addr, pec.Password(user, secret), &imapclient.SentOptions{TLS: stage.Client, Timeout: timeout})
		if err != nil {
			return err
		}
		defer s.Close()
		return s.Save(ctx, "<abc@pec.example>", int64(len(ours)), strings.NewReader(ours))
	}
	login := pec.Password(user, secret)
	if op == dialogueToken {
		login.Mechanism = pec.MechanismXOAUTH2
	}
	c, err := imapclient.New(stage.Addr, login, &imapclient.Options{TLS: stage.Client, Timeout: timeout, MaxMessage: 1 << 20, PollInterval: time.Millisecond})
	if err != nil {
		return err
	}
	defer c.Close()
	switch op {
	case dialogueSearch:
		_, err = searched(ctx, c, "INBOX", reference)
	case dialogueProbe:
		_, err = c.Probe(ctx)
	case dialogueWait:
		if _, _, err = collect(ctx, c, inbox); err == nil {
			err = c.Wait(ctx)
		}
	default:
		_, _, err = collect(ctx, c, inbox)
	}
	return err
}
