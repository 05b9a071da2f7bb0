package pectest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToCRLF(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		"a":                "a",
		"a\n\nb\r\n\r\nc":  "a\r\n\r\nb\r\n\r\nc",
		"a\rb\n\r\nc\r":    "a\rb\r\n\r\nc\r",
		"\n":               "\r\n",
		"blanks stay \t\n": "blanks stay \t\r\n",
	} {
		require.Equal(t, want, string(toCRLF([]byte(in))), "%q", in)
	}
}
