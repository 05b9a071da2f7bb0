package cms

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// content is what the tests sign.
var content = []byte("Content-Type: text/plain\r\n\r\nciao\r\n")

// requireReason requires an *Error with the given reason.
func requireReason(t *testing.T, want Reason, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, e.Reason, e.Detail)
}

// unhex decodes hexadecimal.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// requireOurs requires an *Error.
func requireOurs(t *testing.T, err error) {
	t.Helper()
	_, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
}
