package multipart_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/multipart"
)

// section returns a section of all of s.
func section(s string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(s), 0, int64(len(s)))
}

// split returns the contents of the parts that Split finds.
func split(t testing.TB, body, boundary string, maxParts int) ([]string, error) {
	t.Helper()
	parts, err := multipart.Split(section(body), boundary, maxParts)
	var contents []string
	for _, p := range parts {
		b, err := io.ReadAll(p)
		require.NoError(t, err)
		contents = append(contents, string(b))
	}
	return contents, err
}
