package multipart_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

func TestLeaves(t *testing.T) {
	leaves := func(entity string) (found []string, errs []error) {
		top, err := multipart.ReadPart(section(entity))
		require.NoError(t, err)
		for p, err := range multipart.Leaves(top) {
			b, readErr := io.ReadAll(p.Open())
			require.NoError(t, readErr)
			found = append(found, p.MediaType+" "+string(b))
			errs = append(errs, err)
		}
		return found, errs
	}
	inner := "Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\none\r\n--i\r\nContent-Type: text/html\r\n\r\ntwo\r\n--i--"
	message := "Content-Type: message/rfc822\r\n\r\n" + inner
	mixed := func(parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--"
	}
	found, errs := leaves(mixed(inner, message))
	require.Equal(t, []string{" one", "text/html two", "message/rfc822 " + inner}, found)
	require.Equal(t, []error{nil, nil, nil}, errs)

	// A broken part is yielded whole, and the parts after it follow.
	ambiguous := "Content-Disposition: attachment; filename=a; filename=b\r\n\r\nx"
	noParts := "Content-Type: multipart/mixed\r\n\r\nempty"
	longHeader := strings.Repeat("a:\n", 64<<10)
	found, errs = leaves(mixed(longHeader, ambiguous, noParts, "\r\nlast"))
	require.Equal(t, []string{" " + longHeader, " x", "multipart/mixed empty", " last"}, found)
	require.Len(t, errs, 4)
	for i, want := range []error{header.ErrTooLarge, header.ErrParams, multipart.ErrNoParts, nil} {
		require.ErrorIs(t, errs[i], want)
	}

	nested := func(content string, depth int) string {
		for i := range depth {
			content = fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n%s\r\n--b%d--", i, i, content, i)
		}
		return content
	}
	many := func(boundary string, n int) string {
		part := "--" + boundary + "\r\n\r\nx\r\n"
		return "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n" + strings.Repeat(part, n) + "--" + boundary + "--"
	}
	for name, c := range map[string]struct {
		entity string
		want   error
		leaves int
	}{
		"deep":       {nested("\r\nx", 40), multipart.ErrTooDeep, 1},
		"large":      {nested("\r\n"+strings.Repeat("x", 300_000), 6), multipart.ErrTooDeep, 1},
		"many":       {many("m", 1200), multipart.ErrTooManyParts, 1},
		"many twice": {mixed(many("m", 600), many("n", 600)), multipart.ErrTooManyParts, 601},
	} {
		t.Run(name, func(t *testing.T) {
			found, errs := leaves(c.entity)
			require.Len(t, found, c.leaves)
			require.ErrorIs(t, errs[len(errs)-1], c.want)
		})
	}
}
