package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/storetest"
)

// storage returns a function that opens the store in one new file. It closes the store that
// it returned before.
func storage(t *testing.T) func() pec.Store {
	path := filepath.Join(t.TempDir(), "facts.jsonl")
	var last *fileStore
	t.Cleanup(func() { last.Close() })
	return func() pec.Store {
		if last != nil {
			require.NoError(t, last.Close())
		}
		var err error
		last, err = openFileStore(path)
		require.NoError(t, err)
		return last
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pec.Store { return storage(t)() })
	storetest.RunDurable(t, storage)
}

// A crash in the middle of a line loses only that line.
func TestHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "facts.jsonl")
	whole := []string{"one", "two"}
	for _, key := range whole {
		store, err := openFileStore(path)
		require.NoError(t, err)
		added, err := store.Append(t.Context(), "me@pec.example", pec.Entry{Key: key})
		require.NoError(t, err)
		require.True(t, added)
		require.NoError(t, store.Close())
	}
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	second := bytes.IndexByte(content, '\n') + 1
	for cut := second; cut < len(content); cut++ {
		require.NoError(t, os.WriteFile(path, content[:cut], 0o600))
		store, err := openFileStore(path)
		require.NoError(t, err)
		_, err = store.Entry(t.Context(), "me@pec.example", "one")
		require.NoError(t, err)
		added, err := store.Append(t.Context(), "me@pec.example", pec.Entry{Key: "two"})
		require.NoError(t, err)
		require.True(t, added)
		require.NoError(t, store.Close())
	}
	require.NoError(t, os.WriteFile(path, append([]byte("?"), content...), 0o600))
	_, err = openFileStore(path)
	require.Error(t, err)
}

func TestProgram(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.Contains(t, out.String(), "process 1: the intent is recorded")
	require.Contains(t, out.String(), "process 2: the intent was recorded before")
}
