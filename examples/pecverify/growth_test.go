package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/growth"
)

// Four times as many messages in a folder take four times the work.
func TestWorkGrowsAsTheInputDoes(t *testing.T) {
	growth.Run(t, []growth.Case{{Name: "files", N: 300, CPU: true, Prepare: func(tb testing.TB, n int) growth.Call {
		folder := tb.TempDir()
		for i := range n {
			message := fmt.Appendf(nil, "X-Ricevuta: accettazione\r\nMessage-ID: <%d@x>\r\n\r\nx\r\n", i)
			require.NoError(tb, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.eml", i)), message, 0o600))
		}
		return func() int64 {
			var out, trouble bytes.Buffer
			require.Equal(tb, exitNotVerified, run(tb.Context(), []string{"-json", folder}, strings.NewReader(""), &out, &trouble))
			return int64(out.Len())
		}
	}}})
}
