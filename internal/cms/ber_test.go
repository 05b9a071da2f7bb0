package cms

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNormalize(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		ber      bool
	}{
		"DER":                         {"3003020105", "3003020105", false},
		"empty sequence":              {"3000", "3000", false},
		"indefinite":                  {"30800201050000", "3003020105", true},
		"indefinite in indefinite":    {"3080308002010500000000", "30053003020105", true},
		"indefinite in definite":      {"300730800201050000", "30053003020105", true},
		"long form of a short length": {"308103020105", "3003020105", true},
		"two octets for one":          {"3082000302 0105", "3003020105", true},
		"string in segments":          {"24800401aa0402bbcc0000", "0403aabbcc", true},
		"string in nested segments":   {"240a2405 0401aa0400 0401bb", "0402aabb", true},
		"string of no segments":       {"2400", "0400", true},
		"context tag, indefinite":     {"a0800201050000", "a003020105", true},
	} {
		t.Run(name, func(t *testing.T) {
			in := unhex(t, string(bytes.ReplaceAll([]byte(c.in), []byte(" "), nil)))
			before := slices.Clone(in)
			got, ber, err := normalize(in)
			require.NoError(t, err)
			require.Equal(t, c.want, hex.EncodeToString(got))
			require.Equal(t, c.ber, ber)
			require.Equal(t, before, in)
		})
	}
}

func TestNormalizeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want Reason
	}{
		"nothing":                        {nil, BadCMS},
		"one byte":                       {unhex(t, "30"), BadCMS},
		"truncated content":              {unhex(t, "30030201"), BadCMS},
		"truncated length":               {unhex(t, "3082"), BadCMS},
		"length beyond the parent":       {unhex(t, "3003020205"), BadCMS},
		"bytes after the end":            {unhex(t, "300002"), BadCMS},
		"no end of contents":             {unhex(t, "3080020105"), BadCMS},
		"end of contents in a definite":  {unhex(t, "30020000"), BadCMS},
		"end of contents alone":          {unhex(t, "0000"), BadCMS},
		"primitive of indefinite length": {unhex(t, "0480"), BadCMS},
		"length of five octets":          {unhex(t, "30850000000000"), BadCMS},
		"high tag number":                {unhex(t, "1f8101020000"), BadCMS},
		"integer among segments":         {unhex(t, "2403020105"), BadCMS},
		"long":                           {make([]byte, MaxSize+1), TooLarge},
		"deep, indefinite":               {bytes.Repeat([]byte{0x30, 0x80}, MaxSize/2), TooLarge},
		"deep, six megabytes":            {bytes.Repeat([]byte{0x30, 0x80}, 3<<20), TooLarge},
		"deep, definite":                 {nested(MaxDepth + 1), TooLarge},
		"wide":                           {wide(MaxNodes), TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := normalize(c.in)
			e, ok := errors.AsType[*Error](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, c.want, e.Reason, e.Detail)
		})
	}
	_, _, err := normalize(nested(MaxDepth))
	require.NoError(t, err)
	_, _, err = normalize(wide(MaxNodes - 1))
	require.NoError(t, err)
}

// nested returns n sequences, one inside the other.
func nested(n int) []byte {
	var b []byte
	for range n {
		b = slices.Concat([]byte{0x30}, appendLength(nil, len(b)), b)
	}
	return b
}

// wide returns a sequence of n empty strings.
func wide(n int) []byte {
	content := bytes.Repeat([]byte{0x04, 0x00}, n)
	return slices.Concat([]byte{0x30}, appendLength(nil, len(content)), content)
}
