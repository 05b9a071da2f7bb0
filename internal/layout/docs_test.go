package layout

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

const root = "../.."

// files returns the content of all files with an extension, by path from the root.
func files(t *testing.T, extension string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != extension {
			return err
		}
		content, err := os.ReadFile(filepath.Join(root, path))
		found[path] = string(content)
		return err
	}))
	require.NotEmpty(t, found)
	return found
}

// bare returns code without its indentation, which differs between documents and files.
func bare(code string) string {
	lines := strings.Split(code, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return "\n" + strings.TrimSpace(strings.Join(lines, "\n")) + "\n"
}

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// Go code in a document compiles: the lines of every block also stand in a Go file.
func TestCodeInDocumentsIsCompiled(t *testing.T) {
	var sources []string
	for _, source := range files(t, ".go") {
		sources = append(sources, bare(source))
	}
	blocks := 0
	for path, text := range files(t, ".md") {
		for _, block := range goBlock.FindAllStringSubmatch(text, -1) {
			blocks++
			lines := bare(block[1])
			require.True(t, slices.ContainsFunc(sources, func(s string) bool { return strings.Contains(s, lines) }),
				"%s: no Go file has these lines:%s", path, lines)
		}
	}
	require.NotZero(t, blocks)
	first := goBlock.FindStringSubmatch(files(t, ".md")["README.md"])
	require.Contains(t, bare(files(t, ".go")["pec/example_readme_test.go"]), bare(first[1]), "the program in the README is Example_readme's")
}

var (
	link = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// Every relative link in a document names a file that exists.
func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	for path, text := range files(t, ".md") {
		for _, target := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			_, err := os.Stat(filepath.Join(root, filepath.Dir(path), target[1]))
			require.NoError(t, err, path)
		}
	}
}

var (
	packageRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|.*\\|([^|]*)\\|$")
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// The README names every package, and the modules that it depends on.
func TestDependenciesAreAsTheREADMESays(t *testing.T) {
	var named []string
	for _, row := range packageRow.FindAllStringSubmatch(files(t, ".md")["README.md"], -1) {
		named = append(named, row[1])
		var said []string
		for _, dependency := range quoted.FindAllStringSubmatch(row[2], -1) {
			said = append(said, dependency[1])
		}
		out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", module+row[1]).Output()
		require.NoError(t, err)
		needed := strings.Fields(string(out))
		slices.Sort(needed)
		require.Equal(t, slices.Compact(needed), said, row[1])
	}
	out, err := exec.Command("go", "list", module+"...").Output()
	require.NoError(t, err)
	for _, path := range strings.Fields(string(out)) {
		name := strings.TrimPrefix(path, module)
		if !strings.Contains(name, "internal/") && !strings.HasPrefix(name, "examples/") {
			require.Contains(t, named, name, "the README does not name this package")
		}
	}
}

// The list of examples has a row for each of them.
func TestEveryExampleHasARow(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(root, "examples"))
	require.NoError(t, err)
	text := files(t, ".md")["examples/README.md"]
	for _, folder := range folders {
		if folder.IsDir() && folder.Name() != "internal" {
			require.Regexp(t, `(?m)^\| \[`+folder.Name()+`\]\(`, text)
		}
	}
}

var shBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// The commands in the README of the examples work when they are pasted into a shell.
func TestCommandsInDocumentsWork(t *testing.T) {
	bash := testenv.Program(t, "bash")
	testenv.Program(t, "python3")
	script := "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
	for _, block := range shBlock.FindAllStringSubmatch(files(t, ".md")["examples/README.md"], -1) {
		script += block[1]
	}
	command := exec.CommandContext(t.Context(), bash, "-c", script)
	command.Dir, command.Env = root, append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, said := range []string{
		"\nverified: dossier of ", `"kind":"delivery","verified":true`, `"fact":"NoticeFact","result":"delivered"`,
		"PEC  IT01234567890_00001.xml  luigi@beta-pec.example  delivered", "send: exit status 1",
	} {
		require.Contains(t, string(out), said)
	}
}

// A module that only requires this one can run the quickstart.
func TestQuickstartRunsFromAnEmptyModule(t *testing.T) {
	folder := t.TempDir()
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	name := strings.TrimSuffix(module, "/")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"),
		[]byte("module empty.example\n\ngo 1.26.0\n\nrequire "+name+" v0.0.0\n\nreplace "+name+" => "+here+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.sum"), sums, 0o600))
	command := exec.CommandContext(t.Context(), "go", "run", module+"examples/quickstart")
	command.Dir, command.Env = folder, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "luigi@beta-pec.example   delivered")
}
