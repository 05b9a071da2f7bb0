package pectest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFold(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, value := range []string{
		"", "short", long, long + " " + long, strings.Repeat("parola ", 40), strings.Repeat(" ", 200), " " + long, long + strings.Repeat(" ", 90),
	} {
		folded := fold("Subject", value)
		require.Equal(t, value, strings.ReplaceAll(folded, "\r\n", ""))
		for i, line := range strings.Split(folded, "\r\n") {
			if i > 0 {
				require.Equal(t, byte(' '), line[0])
			}
			require.True(t, folded == value || strings.TrimSpace(line) != "", "%q", folded)
		}
	}
	require.Equal(t, strings.Repeat("parola ", 9)[:62], strings.Split(fold("Subject", strings.Repeat("parola ", 40)), "\r\n")[0])
}

func TestDecodeText(t *testing.T) {
	for in, want := range map[string]string{
		"caff\xe8":                           "caffè",
		"caffè":                              "caffè",
		"=?iso-8859-15?Q?10_=A4?= e poi":     "10 € e poi",
		"=?windows-1252?B?gA==?=":            "€",
		"=?UTF-8?Q?a=C3?= =?UTF-8?Q?=A8?=":   "aè",
		"=?charset-ignoto?Q?=41?=":           "=?charset-ignoto?Q?=41?=",
		"=?UTF-8?Q?uno?= =?UTF-8?Q?_due?= x": "uno due x",
	} {
		require.Equal(t, want, decodeText(in), "%q", in)
	}
}
