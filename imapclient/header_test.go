package imapclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/pec"
)

// A message whose header alone is too large is reported as one unreadable message. Those
// around it are read.
func TestAHeaderThatIsTooLarge(t *testing.T) {
	f := newFake(t, notice, "Content-Type: multipart/signed; x="+strings.Repeat("x", 5000)+"\r\n\r\n", plain, notice)
	c := f.open(t, &imapclient.Options{MaxMessage: 2000})
	after, read := inbox, 0
	for range 10 {
		all, items, err := collect(context.Background(), c, after)
		if read += len(all); len(items) > 0 {
			after = items[len(items)-1].Cursor
		}
		if err == nil {
			break
		}
		var one *pec.MessageError
		require.True(t, errors.As(err, &one), "%v", err)
		assert.EqualValues(t, 2, one.Cursor.UID)
		after = one.Cursor
	}
	assert.Equal(t, 3, read)
	assert.EqualValues(t, 4, after.UID)
}
