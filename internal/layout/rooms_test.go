package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rooms are the files of package pec in the order in which they build on each other: it is
// also the order in which to read them.
var rooms = []struct {
	name  string
	files string
}{
	{"names", "name clip"},
	{"ports", "limits login outcome port"},
	{"facts", "attachment fact mailboxfact noticefact"},
	{"store", "filter store record memory"},
	{"fold", "status attempts notices folding schedule hold flags fold"},
	{"ledger", "ledger load append query find changes resolve"},
	{"write", "problem warning message messageid draft header composer mime request source output compose lines strictheader headercheck raw"},
	{"client", "event underway untraced client keysecret"},
	{"act", "suspension restoration claim senderror submit adopt send retry check"},
	{"read", "judge bouncefact answer future reading batch sync reverify search"},
	{"watch", "backoff watch proofsearch follow"},
}

// mostUpward bounds the pairs of files in which the lower one uses a name of the higher.
const mostUpward = 9

func TestFilesOfPecBuildOnEachOther(t *testing.T) {
	var order []string
	for _, room := range rooms {
		order = append(order, strings.Fields(room.files)...)
	}
	files := parse(t, "pec")
	declaredIn := map[string]string{}
	for name, file := range files {
		require.Contains(t, append(order, "doc"), name, "a file without a room")
		for _, declared := range declarations(file) {
			declaredIn[declared] = name
		}
	}
	require.Len(t, files, len(order)+1)
	var upward []string
	for name, file := range files {
		uses := map[string]bool{}
		for _, id := range file.Unresolved { //nolint:staticcheck // names of other files of the package
			if other := declaredIn[id.Name]; other != "" && slices.Index(order, other) > slices.Index(order, name) {
				uses[name+" uses "+other] = true
			}
		}
		for use := range uses {
			upward = append(upward, use)
		}
	}
	slices.Sort(upward)
	require.LessOrEqual(t, len(upward), mostUpward, upward)
	t.Log(len(upward), "upward:", upward)
}

// parse reads the files of a package that are no tests, by name without extension.
func parse(t *testing.T, folder string) map[string]*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	files := map[string]*ast.File{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		files[strings.TrimSuffix(filepath.Base(path), ".go")] = file
	}
	require.NotEmpty(t, files, folder)
	return files
}

// declarations are the names that a file gives to its package.
func declarations(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// Three files that begin alike are a package that wants to be one, and a file of more than
// 500 lines is several.
func TestFoldersAreShallow(t *testing.T) {
	folders := map[string][]string{}
	for name, text := range files(t, ".go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		folders[path.Dir(name)] = append(folders[path.Dir(name)], strings.TrimSuffix(path.Base(name), ".go"))
		require.LessOrEqual(t, strings.Count(text, "\n"), 500, name)
	}
	const alike = 4 // letters
	for folder, names := range folders {
		count := map[string][]string{}
		for _, name := range names {
			if len(name) >= alike {
				count[name[:alike]] = append(count[name[:alike]], name)
			}
		}
		for _, cluster := range count {
			require.Less(t, len(cluster), 3, "%s: %q", folder, cluster)
		}
	}
}

// Every constant of a closed set says which: it begins with the name of its type, less a
// last word such as Kind.
func TestConstantsBeginWithTheirType(t *testing.T) {
	checked := 0
	for _, layer := range append(layers[1:], []string{"pec/pectest"}) {
		for _, folder := range layer {
			for _, file := range parse(t, folder) {
				ast.Inspect(file, func(n ast.Node) bool {
					spec, ok := n.(*ast.ValueSpec)
					if !ok {
						return true
					}
					typ, ok := spec.Type.(*ast.Ident)
					if !ok || !ast.IsExported(typ.Name) {
						return true
					}
					prefix := typ.Name
					for _, last := range []string{"Kind", "Reason", "Result", "Reading"} {
						if short := strings.TrimSuffix(prefix, last); short != "" {
							prefix = short
						}
					}
					for _, name := range spec.Names {
						if ast.IsExported(name.Name) {
							checked++
							require.True(t, strings.HasPrefix(name.Name, prefix), "%s.%s is a %s", folder, name.Name, typ.Name)
						}
					}
					return true
				})
			}
		}
	}
	require.Greater(t, checked, 100)
}

// What a reader of go doc has to take in.
func TestPecFitsAReader(t *testing.T) {
	exported := map[string]bool{}
	for _, file := range parse(t, "pec") {
		for _, name := range declarations(file) {
			exported[name] = true
		}
		for _, decl := range file.Decls {
			if method, ok := decl.(*ast.FuncDecl); ok && method.Recv != nil {
				receiver := method.Recv.List[0].Type
				if pointer, ok := receiver.(*ast.StarExpr); ok {
					receiver = pointer.X
				}
				if typ, ok := receiver.(*ast.Ident); ok && ast.IsExported(typ.Name) && ast.IsExported(method.Name.Name) {
					exported[typ.Name+"."+method.Name.Name] = true
				}
			}
		}
	}
	for name := range exported {
		if !ast.IsExported(name) {
			delete(exported, name)
		}
	}
	require.Less(t, len(exported), 215)
	t.Log(len(exported), "exported names")
}
