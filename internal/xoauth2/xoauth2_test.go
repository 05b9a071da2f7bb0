package xoauth2_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/xoauth2"
)

func TestClient(t *testing.T) {
	c := xoauth2.NewClient("mario@pec.example", "ya29.token")
	mech, ir, err := c.Start()
	require.NoError(t, err)
	require.Equal(t, "XOAUTH2", mech)
	require.Equal(t, "user=mario@pec.example\x01auth=Bearer ya29.token\x01\x01", string(ir))
	answer, err := c.Next([]byte(`{"status":"401"}`))
	require.NoError(t, err)
	require.NotNil(t, answer)
	require.Empty(t, answer)
}
