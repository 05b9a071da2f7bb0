// Package layout holds the rules on who may import whom.
package layout

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/gopec/gopec/"

// dependencies are all packages that a package needs, its tests apart.
func dependencies(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", pattern).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// The layers, from the bottom: each may import only those before it.
var layers = []string{"internal/", "envelope", "receipt", "pec/inbound", "pec"}

func TestImportsPointOneWay(t *testing.T) {
	for i, layer := range layers[1:] {
		allowed := layers[:i+1]
		for _, dep := range dependencies(t, module+layer) {
			name, ours := strings.CutPrefix(dep, module)
			if !ours || name == layer {
				continue
			}
			require.True(t, slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(name, a) }),
				"%s needs %s", layer, name)
		}
	}
}

// The core speaks no protocol and knows no database: adapters import it.
func TestCoreNeedsNoNetworkAndNoDatabase(t *testing.T) {
	for _, forbidden := range []string{
		"crypto/tls", "net/http", "net/smtp", "database/sql", "testing",
		"github.com/emersion/go-imap/v2", "github.com/emersion/go-smtp", "github.com/stretchr/testify/require",
	} {
		for _, core := range layers[1:] {
			require.NotContains(t, dependencies(t, module+core), forbidden, core)
		}
	}
}

// The provider network is an independent implementation: what it writes, our
// parsers have to read without having seen how.
func TestProviderNetworkSharesNothingWithTheParsers(t *testing.T) {
	for _, dep := range dependencies(t, module+"pec/pectest") {
		name, ours := strings.CutPrefix(dep, module)
		require.False(t, ours && name != "pec/pectest", "pectest needs %s", name)
		require.NotEqual(t, "testing", dep)
	}
}

// Job queues and database drivers are for examples and tests: whoever imports the
// module's packages gets none of them.
func TestPackagesBringNoQueueAndNoDriver(t *testing.T) {
	for _, pattern := range []string{"envelope", "receipt", "pec", "smtpclient", "imapclient", "pec/sqlstore", "pec/pectest"} {
		for _, dep := range dependencies(t, module+pattern) {
			for _, forbidden := range []string{"github.com/riverqueue/", "github.com/jackc/", "modernc.org/"} {
				require.False(t, strings.HasPrefix(dep, forbidden), "%s needs %s", pattern, dep)
			}
		}
	}
}

// Which database driver a program has is its own choice.
func TestStoreBringsNoDriver(t *testing.T) {
	for _, pattern := range []string{"pec/sqlstore", "pec/storetest"} {
		for _, dep := range dependencies(t, module+pattern) {
			require.False(t, strings.HasPrefix(dep, "modernc.org/") || strings.HasPrefix(dep, "github.com/jackc/") ||
				strings.HasPrefix(dep, "github.com/stretchr/"), "%s needs %s", pattern, dep)
		}
	}
}
