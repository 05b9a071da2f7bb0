package multipart_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/multipart"
)

// isDelimiter implements the definition of RFC 2046, 5.1.1, for lines that are not too long.
func isDelimiter(line, boundary string) (match, last bool) {
	rest, match := strings.CutPrefix(line, "--"+boundary)
	rest, last = strings.CutPrefix(rest, "--")
	text, ended := strings.CutSuffix(line, "\n")
	if ended {
		text = strings.TrimSuffix(text, "\r")
	}
	return match && len(text) <= 32<<10-2 && strings.Trim(rest, " \t\r\n") == "", last
}

// reference implements the definition of Split, line by line in memory. It also returns
// what follows the closing delimiter.
func reference(body, boundary string) (parts []string, epilogue string) {
	open, start, pos, lineEnd := false, 0, 0, 0
	for _, line := range strings.SplitAfter(body, "\n") {
		if match, last := isDelimiter(line, boundary); match {
			if open {
				parts = append(parts, body[start:max(start, pos-lineEnd)])
			}
			open, start = true, pos+len(line)
			if last {
				return parts, body[start:]
			}
		}
		pos += len(line)
		lineEnd = 1
		if strings.HasSuffix(line, "\r\n") {
			lineEnd = 2
		}
	}
	if open {
		parts = append(parts, body[start:])
	}
	return parts, ""
}

func hasDelimiter(text, boundary string) bool {
	return slices.ContainsFunc(strings.SplitAfter(text, "\n"), func(line string) bool {
		match, _ := isDelimiter(line, boundary)
		return match
	})
}

// randomBody returns pieces that matter to a splitter in random order, sometimes with
// enough text to fill its buffer almost exactly.
func randomBody(random *rand.Rand) string {
	pieces := []string{
		"--o", "--o", "--o--", "--m", "--m", "--m--", "--o-", "--mo", "--", " ", "\t",
		"\r\n", "\r\n", "\r\n", "\n", "\r", "x", "a: b\r\n", "\r\n\r\n",
		"\r\n--o\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n", "\n--o\nContent-Type: multipart/mixed; boundary=m\n\n",
	}
	var b strings.Builder
	if random.IntN(2) == 0 {
		b.WriteString(pieces[len(pieces)-1-random.IntN(2)])
	}
	for range 1 + random.IntN(24) {
		switch random.IntN(150) {
		case 0:
			b.WriteString(strings.Repeat("x", 32<<10-20+random.IntN(40)))
		case 1:
			b.WriteString(strings.Repeat(" ", max(0, 64<<10-40+random.IntN(80)-b.Len()%(64<<10))))
		default:
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
	}
	return b.String()
}

func texts(t *testing.T, sections []*io.SectionReader) (all []string) {
	t.Helper()
	for _, s := range sections {
		b, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
		require.NoError(t, err)
		all = append(all, string(b))
	}
	return all
}

func TestSplitIsItsDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 10_000 {
		body := randomBody(random)
		got, err := split(t, body, "o", 1000)
		require.NoError(t, err)
		want, _ := reference(body, "o")
		require.Equal(t, want, got)
	}
}

// SplitSigned finds in one pass what Split finds in one pass for each multipart, and passes
// on the exact bytes of the first part.
func TestSplitSignedIsTwoSplits(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	bareLF := regexp.MustCompile(`(^|[^\r])\n`)
	children, resumed := 0, 0
	block := make([]byte, multipart.BlockSize) // its old content must not matter
	for range 15_000 {
		body := randomBody(random)
		top, err := multipart.ReadPart(section("Content-Type: multipart/signed; boundary=o\r\n\r\n" + body))
		require.NoError(t, err)
		var content bytes.Buffer
		signed, err := top.SplitSigned(block, func(bool) io.Writer { return &content })
		parts, _ := reference(body, "o")
		if len(parts) > 2 {
			require.ErrorIs(t, err, multipart.ErrTooManyParts)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, parts, texts(t, signed.Parts))
		if len(parts) == 0 {
			require.Zero(t, content.Len())
			continue
		}
		require.Equal(t, parts[0], content.String())
		require.Equal(t, bareLF.MatchString(parts[0]), signed.BareLF, "%q", parts[0])

		first, err := multipart.ReadPart(section(parts[0]))
		require.Equal(t, err, signed.FirstErr)
		if err != nil {
			continue
		}
		require.Equal(t, first.MediaType, signed.First.MediaType)
		inner := texts(t, []*io.SectionReader{first.Body})[0]
		require.Equal(t, []string{inner}, texts(t, []*io.SectionReader{signed.First.Body}))
		if first.MediaType == "" {
			require.Empty(t, signed.Children)
			continue
		}
		want, epilogue := reference(inner, "m")
		require.Equal(t, want, texts(t, signed.Children), "%q", inner)
		require.Equal(t, hasDelimiter(epilogue, "m"), signed.Resumed, "%q", epilogue)
		if children += len(want); signed.Resumed {
			resumed++
		}
	}
	require.Greater(t, children, 500)
	require.Greater(t, resumed, 20)
}

func TestSplitSignedLimits(t *testing.T) {
	signed := func(first string) (multipart.Signed, error) {
		top, err := multipart.ReadPart(section("Content-Type: multipart/signed; boundary=o\r\n\r\n--o\r\n" + first + "\r\n--o\r\n\r\nx\r\n--o--\r\n"))
		require.NoError(t, err)
		return top.SplitSigned(nil, func(bool) io.Writer { return io.Discard })
	}
	many := "Content-Type: multipart/mixed; boundary=m\r\n\r\n" + strings.Repeat("--m\r\n\r\nx\r\n", multipart.MaxParts+1)
	for _, end := range []string{"--m--", ""} {
		got, err := signed(many + end)
		require.NoError(t, err)
		require.ErrorIs(t, got.ChildrenErr, multipart.ErrTooManyParts)
	}
	got, err := signed(strings.Repeat("a:\n", 64<<10) + "\n")
	require.NoError(t, err)
	require.Error(t, got.FirstErr)
	require.Len(t, got.Parts, 2)
	// The first part is short and has no empty line. What follows is not its header.
	got, err = signed("Content-Type: text/plain")
	require.NoError(t, err)
	require.NoError(t, got.FirstErr)
	require.Equal(t, "text/plain", got.First.MediaType)
	require.Zero(t, got.First.Body.Size())

	_, err = multipart.Part{Body: section("")}.SplitSigned(nil, nil)
	require.NoError(t, err)
	failing := io.NewSectionReader(readerAt(func([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }), 0, 10)
	_, err = multipart.Split(failing, "o", 1)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}
