package pec_test

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// Stores keep facts for years: each kind, with every field set, is read as it was once
// written, and written as it was.
func TestStoredFormOfFacts(t *testing.T) {
	file, err := os.Open("testdata/facts.jsonl")
	require.NoError(t, err)
	defer file.Close()
	kinds := map[reflect.Type]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var stored struct {
			Key, Send string
			Data      json.RawMessage
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &stored))
		f, err := pec.FactOfForTest(pec.Entry{Key: stored.Key, Send: stored.Send, Data: stored.Data})
		require.NoError(t, err, stored.Key)
		requireComplete(t, reflect.ValueOf(f), stored.Key)
		written, err := pec.NewEntryForTest(stored.Send, f)
		require.NoError(t, err)
		require.Equal(t, string(stored.Data), string(written.Data))
		require.Equal(t, stored.Key, written.Key)
		kinds[reflect.TypeOf(f)] = true
	}
	require.Len(t, kinds, pec.KindsForTest())
}

// requireComplete fails for a field that is not set: its form would not be held.
func requireComplete(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	require.False(t, v.IsZero(), path)
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			requireComplete(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		for i := range v.Len() {
			requireComplete(t, v.Index(i), path)
		}
	}
}
