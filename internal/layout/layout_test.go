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

// The layers, from the bottom: a package may import those of the layers before its own,
// and no other of its own layer.
var layers = [][]string{
	{"internal/"},
	{"envelope"},
	{"receipt"},
	{"pec/inbound"},
	{"pec"},
	{"smtpclient", "imapclient", "pec/sqlstore", "pec/storetest", "pec/dossier"},
	{"pec/provider"},
}

// core are the layers that speak no protocol.
var core = []string{"envelope", "receipt", "pec/inbound", "pec"}

func TestImportsPointOneWay(t *testing.T) {
	for i, layer := range layers[1:] {
		allowed := slices.Concat(layers[:i+1]...)
		for _, name := range layer {
			for _, dep := range dependencies(t, module+name) {
				dep, ours := strings.CutPrefix(dep, module)
				if !ours || dep == name {
					continue
				}
				require.True(t, slices.ContainsFunc(allowed, func(a string) bool {
					return dep == a || strings.HasSuffix(a, "/") && strings.HasPrefix(dep, a)
				}), "%s needs %s", name, dep)
			}
		}
	}
}

// The rule above names every package, except the network that stands apart and the
// programs on top.
func TestEveryPackageHasALayer(t *testing.T) {
	out, err := exec.Command("go", "list", module+"...").Output()
	require.NoError(t, err)
	named := slices.Concat(layers...)
	for _, path := range strings.Fields(string(out)) {
		name := strings.TrimPrefix(path, module)
		if name == "pec/pectest" || strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "internal/") {
			continue
		}
		require.Contains(t, named, name)
	}
}

// The core speaks no protocol and knows no database: adapters import it.
func TestCoreNeedsNoNetworkAndNoDatabase(t *testing.T) {
	for _, forbidden := range []string{
		"crypto/tls", "net/http", "net/smtp", "database/sql", "testing",
		"github.com/emersion/go-imap/v2", "github.com/emersion/go-smtp", "github.com/stretchr/testify/require",
	} {
		for _, name := range core {
			require.NotContains(t, dependencies(t, module+name), forbidden, name)
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
	for _, pattern := range []string{"envelope", "receipt", "pec/inbound", "pec", "smtpclient", "imapclient", "pec/provider", "pec/sqlstore", "pec/pectest"} {
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
