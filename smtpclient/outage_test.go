package smtpclient_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// refusals is how many connections a server refuses before it is back.
const refusals = 10

// TestOutage ends the server at every stage of a dialogue, before its reply and in the
// middle of it, and keeps it away for some time. The outcome is uncertain only where the
// final dot may have left, and the first message after the server is back is submitted.
func TestOutage(t *testing.T) {
	testenv.NoLeak(t)
	refused := script(mail, []turn{{"RCPT", "550 5.1.1 nobody\r\n"}, {"RCPT", "250 2.1.5 ok\r\n"}, {"RSET", "250 2.0.0 reset\r\n"}}, quit)
	inClear := []turn{
		{"", "220 fake\r\n"}, {"EHLO", "250-fake\r\n250 STARTTLS\r\n"}, {"STARTTLS", "220 go\r\n"}, {"", startTLS},
		{"EHLO", "250-fake\r\n250 AUTH PLAIN\r\n"},
	}
	dialogues := []struct {
		name    string
		inClear bool
		kept    bool // the same connection has carried a message before
		turns   []turn
		end     pec.OutcomeKind // the outcome, which a later fault cannot change
	}{
		{"new", false, false, script(greeted, loggedIn, mail, rest, quit), pec.OutcomeSubmitted},
		{"kept", false, true, script(mail, rest, quit), pec.OutcomeSubmitted},
		{"refused", false, false, script(greeted, loggedIn, refused), pec.OutcomeRefused},
		{"starttls", true, false, script(inClear, loggedIn, mail, rest, quit), pec.OutcomeSubmitted},
	}
	cases := 0
	for _, d := range dialogues {
		whole := script(greeted, loggedIn)
		if d.inClear {
			whole = script(inClear, loggedIn)
		}
		whole = script(whole, mail, rest, quit)
		for at, stage := range d.turns {
			for _, part := range []int{0, len(stage.reply) / 2} {
				if stage.reply == startTLS && part > 0 {
					continue
				}
				cases++
				t.Run(fmt.Sprintf("%s/%d %.8s/%d", d.name, at, stage.want, part), func(t *testing.T) {
					t.Parallel()
					broken := script(d.turns[:at], []turn{{stage.want, stage.reply[:part]}})
					if d.kept {
						broken = script(greeted, loggedIn, mail, rest, broken)
					}
					scripts := [][]turn{broken}
					for range refusals {
						scripts = append(scripts, nil)
					}
					p := play(t, d.inClear, append(scripts, whole)...)
					c := p.open(t, pec.Password(sender, secret), &smtpclient.Options{StartTLS: d.inClear})
					submit := func() pec.Outcome { return c.Submit(context.Background(), submission(message())) }
					if d.kept {
						require.Equal(t, pec.OutcomeSubmitted, submit().Kind)
					}
					want := pec.OutcomeTemporary
					switch {
					case stage.want == ".":
						want = pec.OutcomeUncertain
					case stage.want == "RSET" || stage.want == "QUIT":
						want = d.end
					}
					o := submit()
					require.Equal(t, want, o.Kind, "%v", o.Err)
					if want == pec.OutcomeSubmitted {
						require.NoError(t, c.Close()) // sends QUIT
						return
					}
					for calls := 0; ; calls++ {
						require.LessOrEqual(t, calls, refusals)
						if o = submit(); o.Kind == pec.OutcomeSubmitted {
							break
						}
						require.Equal(t, pec.OutcomeTemporary, o.Kind, "%v", o.Err)
						checkError(t, o, smtpclient.ReasonNetwork)
					}
					dials, _ := p.counts()
					require.Equal(t, refusals+2, dials)
					require.NoError(t, c.Close())
				})
			}
		}
	}
	assert.Equal(t, 69, cases)
}
