package pectest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUpperVerb(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"quit":                      "QUIT",
		"mail from:<a@b> size=1":    "MAIL FROM:<a@b> size=1",
		"rcpt to:<a@b>":             "RCPT TO:<a@b>",
		"ehlo [127.0.0.1]":          "EHLO [127.0.0.1]",
		"uid fetch 1 (body.peek[])": "UID FETCH 1 (body.peek[])",
		"examine Posta":             "EXAMINE Posta",
	} {
		require.Equal(t, want, upperVerb(in))
	}
}

func TestMidLiteral(t *testing.T) {
	for in, want := range map[string]string{
		"* 1 FETCH (BODY[] {4}\r\nabcd)\r\n": "* 1 FETCH (BODY[] {4}\r\nab",
		"{100}\r\nabc":                       "{100}\r\nabc",
	} {
		end, ok := midLiteral([]byte(in))
		require.True(t, ok)
		require.Equal(t, want, in[:end])
	}
	_, ok := midLiteral([]byte("* OK {x}\r\n"))
	require.False(t, ok)
}
