package header_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
)

func TestDecodeText(t *testing.T) {
	for value, want := range map[string]string{
		"Diffida":                "Diffida",
		"=?utf-8?q?Citt=C3=A0?=": "Città",
		"=?ISO-8859-15?Q?100_=A4?= =?windows-1252?b?gA==?=": "100 €€",
		"=?nonsense?q?citt=E0?=":                            "città",
		"=?utf-8?b?###?= resto":                             "=?utf-8?b?###?= resto",
		"=?utf-8?b?w6?= =?utf-8?b?DCoA==?=":                 "=?utf-8?b?w6?= =?utf-8?b?DCoA==?=",
		"=?utf-8?q?=C3?= =?utf-8?q?=A0?=":                   "à",
		"=?utf-8?q?=E0?=":                                   "\ufffd",
		"citt\xe0":                                          "città",
		"citt\xc3\xa0":                                      "città",
	} {
		require.Equal(t, want, header.DecodeText(value), value)
	}
}
