// Package layout contains only tests. They check which packages may import which, and that
// the documents match the code.
package layout

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/gopec/gopec/"

// dependencies returns all packages that a package needs, except for its tests.
func dependencies(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", pattern).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// layers are the layers of the module, from the bottom. A package may import packages of the
// layers before its own, and none of its own layer.
var layers = [][]string{
	{"internal/"},
	{"envelope"},
	{"receipt"},
	{"pec/inbound"},
	{"pec"},
	{"smtpclient", "imapclient", "pec/sqlstore", "pec/storetest", "pec/dossier"},
	{"pec/provider"},
}

// core are the packages that speak no protocol.
var core = []string{"envelope", "receipt", "pec/inbound", "pec"}

// Every package imports only packages of lower layers.
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
				}), "%s must not import %s: only layers below its own", name, dep)
			}
		}
	}
}

// Every package has a layer, except pectest, which is independent, the examples, and the
// packages in internal, which are all in the lowest layer.
func TestEveryPackageHasALayer(t *testing.T) {
	out, err := exec.Command("go", "list", module+"...").Output()
	require.NoError(t, err)
	named := slices.Concat(layers...)
	for _, path := range strings.Fields(string(out)) {
		name := strings.TrimPrefix(path, module)
		if name == "pec/pectest" || strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "internal/") {
			continue
		}
		require.Contains(t, named, name, "add it to layers")
	}
}

// The core speaks no protocol and knows no database. Adapters do, and import the core.
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

// pectest is an independent implementation. The parsers read what it writes without sharing
// any code with it.
func TestProviderNetworkSharesNothingWithTheParsers(t *testing.T) {
	for _, dep := range dependencies(t, module+"pec/pectest") {
		name, ours := strings.CutPrefix(dep, module)
		require.False(t, ours && name != "pec/pectest", "pectest must not import %s", name)
		require.NotEqual(t, "testing", dep)
	}
}

// Only examples and tests use job queues and database drivers. A program that imports the
// module's packages gets none of them.
func TestPackagesBringNoQueueAndNoDriver(t *testing.T) {
	for _, pattern := range append(slices.Concat(layers[1:]...), "pec/pectest") {
		for _, dep := range dependencies(t, module+pattern) {
			for _, forbidden := range []string{"github.com/riverqueue/", "github.com/jackc/", "modernc.org/"} {
				require.False(t, strings.HasPrefix(dep, forbidden), "%s needs %s", pattern, dep)
			}
		}
	}
}

// A program chooses its database driver itself.
func TestStoreBringsNoDriver(t *testing.T) {
	for _, pattern := range []string{"pec/sqlstore", "pec/storetest"} {
		for _, dep := range dependencies(t, module+pattern) {
			require.False(t, strings.HasPrefix(dep, "modernc.org/") || strings.HasPrefix(dep, "github.com/jackc/") ||
				strings.HasPrefix(dep, "github.com/stretchr/"), "%s needs %s", pattern, dep)
		}
	}
}
