package smtpclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// The op of a FuzzDialogue input says what the client does and how the server behaves.
const (
	dialogueSubmit byte = iota
	dialogueTwice
	dialogueProbe
	dialogueOperations

	dialogueInClear byte = 1 << 6
	dialogueSilent  byte = 1 << 7
)

// says joins the turns of a server.
func says(turns ...string) []byte { return []byte(strings.Join(turns, testenv.Turn)) }

const (
	fuzzText  = "a\r\n.b\r\n" // with the final dot, three lines
	ehloReply = "250-fake\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n"
)

// dialogues returns what a server says to a message over a kept connection, to a message
// over a new one, and before the message where the client asks for TLS.
func dialogues() (sent, whole, inClear []string) {
	sent = []string{"250 ok\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "", "", "250 2.0.0 queued\r\n"}
	whole = append([]string{"220 fake\r\n", ehloReply, "235 welcome\r\n"}, sent...)
	inClear = []string{"220 fake\r\n", "250-fake\r\n250 STARTTLS\r\n", "220 go\r\n", ehloReply, "235 welcome\r\n"}
	return sent, whole, inClear
}

// TestDialogues shows that the seeds of whole dialogues submit a message.
func TestDialogues(t *testing.T) {
	sent, whole, inClear := dialogues()
	stage := testenv.NewStage(t)
	for _, startTLS := range []bool{false, true} {
		all := whole
		if startTLS {
			all = append(inClear, sent...)
		}
		wait := stage.Play(testenv.Script{Says: says(all...), InClear: startTLS})
		c, err := smtpclient.New(stage.Addr, pec.Password(sender, secret), &smtpclient.Options{TLS: stage.Client, StartTLS: startTLS})
		require.NoError(t, err)
		o := c.Submit(t.Context(), submission(fuzzText))
		assert.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
		require.NoError(t, c.Close())
		wait()
	}
}

// FuzzDialogue plays arbitrary input as the server, in the clear and under TLS. The
// client must return an outcome that its reply allows and an error of a known type, and
// leave nothing running.
func FuzzDialogue(f *testing.F) {
	sent, whole, inClear := dialogues()
	askLogin := []string{"220 fake\r\n", "250 AUTH LOGIN\r\n"}
	seeds := 0
	seed := func(op byte, said []byte) {
		seeds++
		f.Add(op, said)
	}
	seed(dialogueSubmit, says(append(whole, "221 bye\r\n")...))
	seed(dialogueSubmit|dialogueSilent, says(whole...))
	seed(dialogueTwice, says(append(whole, sent...)...))
	seed(dialogueProbe, says(append(whole[:3:3], "221 bye\r\n")...))
	seed(dialogueSubmit, says("220 fake\r\n", ehloReply, "235 welcome\r\n", "250 ok\r\n", "550 5.1.1 nobody\r\n", "250 ok\r\n", "250 reset\r\n"))
	seed(dialogueSubmit|dialogueInClear, says(append(inClear, sent...)...))
	seed(dialogueProbe|dialogueInClear, says(inClear...))
	seed(dialogueSubmit|dialogueInClear, says("220 fake\r\n", "250 STARTTLS\r\n", "220 go\r\n250 AUTH PLAIN\r\n"))
	seed(dialogueSubmit, says(append(askLogin, "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 welcome\r\n")...))
	// Attacks: a login that never ends, replies that never end, replies before the
	// command.
	seed(dialogueSubmit|dialogueSilent, says(append(askLogin, strings.Split(strings.Repeat("334 UGFzc3dvcmQ6\r\n\x00", 200), testenv.Turn)...)...))
	seed(dialogueSubmit, says("220 fake\r\n", strings.Repeat("250-\r\n", 20000)))
	seed(dialogueSubmit, says("220-"+strings.Repeat("x", 100000)))
	seed(dialogueSubmit|dialogueInClear, says("220 fake\r\n", strings.Repeat("250-\r\n", 20000)))
	seed(dialogueSubmit, says("220 a\r\n250 AUTH PLAIN\r\n235 b\r\n250 c\r\n250 d\r\n250 e\r\n354 f\r\n250 g\r\n"))
	seed(dialogueSubmit, says("220 fake\r\n", ehloReply, "334 ====\r\n", "535 no\r\n"))
	require.Equal(f, 15, seeds)

	stage := testenv.NewStage(f)
	f.Fuzz(func(t *testing.T, op byte, said []byte) {
		wait := stage.Play(testenv.Script{Says: said, InClear: op&dialogueInClear != 0, Silent: op&dialogueSilent != 0})
		patience := 5 * time.Second
		if op&dialogueSilent != 0 {
			patience = 20 * time.Millisecond
		}
		testenv.Watch(t, patience, func(ctx context.Context) {
			defer wait()
			client, err := smtpclient.New(stage.Addr, pec.Password(sender, secret), &smtpclient.Options{
				TLS: stage.Client, StartTLS: op&dialogueInClear != 0, Timeout: 100 * time.Millisecond, SubmitTimeout: 100 * time.Millisecond,
			})
			if !assert.NoError(t, err) {
				return
			}
			defer client.Close()
			calls := 1
			switch op &^ (dialogueInClear | dialogueSilent) % dialogueOperations {
			case dialogueProbe:
				_, err := client.Probe(ctx)
				assert.True(t, err == nil || typed(err), "%v", err)
				return
			case dialogueTwice:
				calls = 2
			}
			for range calls {
				o := client.Submit(ctx, submission(fuzzText))
				assert.True(t, o.Err == nil || typed(o.Err), "%v", o.Err)
				switch o.Kind {
				case pec.OutcomeSubmitted:
					assert.Equal(t, 2, o.Reply.Code/100)
				case pec.OutcomeRefused:
					assert.True(t, o.Reply.Code/100 == 5 || o.Reply.Code == 0 && o.Err != nil, "%v %v", o.Reply, o.Err)
				}
			}
		})
	})
}

// TestLoginWithoutEnd has the server ask for the password again and again.
func TestLoginWithoutEnd(t *testing.T) {
	asks := []turn{{"", "220 fake\r\n"}, {"EHLO", "250-fake\r\n250 AUTH LOGIN\r\n"}}
	for range 20 {
		asks = append(asks, turn{anyLine, "334 UGFzc3dvcmQ6\r\n"})
	}
	p := play(t, false, asks)
	o := p.open(t, pec.Password(sender, secret), nil).Submit(t.Context(), submission(message()))
	assertReason(t, o, pec.OutcomeTemporary, smtpclient.ReasonProtocol)
	assert.LessOrEqual(t, len(p.heard()), 1+4+1, "EHLO, the login, QUIT")
}

func typed(err error) bool {
	var known *smtpclient.Error
	var refused *pec.LoginError
	return errors.As(err, &known) || errors.As(err, &refused)
}
