package spool_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/spool"
)

func content(t *testing.T, s *spool.Spool) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
	require.NoError(t, err)
	return string(b)
}

func TestPlainReadersAreCopied(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, size := range []int{0, 1, spool.MemoryLimit, spool.MemoryLimit + 1, 3 * spool.MemoryLimit} {
		want := strings.Repeat("x", size)
		s, err := spool.Open(t.Context(), iotest.HalfReader(strings.NewReader(want)))
		require.NoError(t, err)
		require.Equal(t, want, content(t, s))
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "closing twice is harmless")
	}
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestFilesAreReadInPlaceFromWhereTheyStand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.eml")
	require.NoError(t, os.WriteFile(path, []byte("skipped|message"), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Seek(8, io.SeekStart)
	require.NoError(t, err)
	s, err := spool.Open(t.Context(), f)
	require.NoError(t, err)
	require.Equal(t, "message", content(t, s))
	require.NoError(t, s.Close())
	b, err := io.ReadAll(f)
	require.NoError(t, err, "the file is still the caller's")
	require.Equal(t, "message", string(b))
}

func TestPipesAreCopied(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	_, err = w.WriteString("message")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	s, err := spool.Open(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "message", content(t, s))
}

func TestWriter(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, size := range []int{0, 1, spool.MemoryLimit, spool.MemoryLimit + 1, 3 * spool.MemoryLimit} {
		for _, step := range []int{1 << 19, spool.MemoryLimit + 7} {
			want := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			var w spool.Writer
			for rest := want; rest != ""; rest = rest[min(step, len(rest)):] {
				n, err := io.WriteString(&w, rest[:min(step, len(rest))])
				require.NoError(t, err)
				require.Equal(t, min(step, len(rest)), n)
			}
			s := w.Spool()
			require.NoError(t, w.Close(), "the Writer no longer has it")
			require.EqualValues(t, size, s.Size())
			require.Equal(t, want, content(t, s))
			require.NoError(t, s.Close())
		}
	}
	var w spool.Writer
	_, err := w.Write(make([]byte, 2*spool.MemoryLimit))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestFailures(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	_, err := spool.Open(t.Context(), iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	big := io.MultiReader(bytes.NewReader(make([]byte, 2*spool.MemoryLimit)), iotest.ErrReader(io.ErrUnexpectedEOF))
	_, err = spool.Open(t.Context(), big)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = spool.Open(ctx, iotest.OneByteReader(strings.NewReader("x")))
	require.ErrorIs(t, err, context.Canceled)
	t.Setenv("TMPDIR", "/nonexistent")
	_, err = spool.Open(t.Context(), io.LimitReader(zeros{}, 2*spool.MemoryLimit))
	require.ErrorIs(t, err, os.ErrNotExist)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
