// Package testenv is the environment of tests: real servers as child processes, a server
// that sends chosen bytes, a check for leaked goroutines, and the corpus of genuine
// messages. If something is not installed, the test is skipped. With GOPEC_REQUIRE=all
// it fails instead.
package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Missing skips the test because something is missing. With GOPEC_REQUIRE=all it fails
// the test.
func Missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("GOPEC_REQUIRE") == "all" {
		tb.Fatalf("GOPEC_REQUIRE=all: "+format, args...)
	}
	tb.Skipf(format, args...)
}

// Program returns the path of a program that is on PATH or in a folder of system
// programs. If it is not installed, the test ends as Missing says.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/lib/postfix/sbin/" + name, "/usr/lib/postfix/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	Missing(tb, "%s is not installed; .ci/run names the Debian packages", name)
	return ""
}

// Corpus returns the path of a folder of the corpus of messages beside the module:
// "genuine", "generic/mime" and so on.
func Corpus(tb testing.TB, folder string) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod above the test")
		}
		dir = parent
	}
	corpus := filepath.Join(dir, "..", "shared", "corpus", filepath.FromSlash(folder))
	if !exists(corpus) {
		Missing(tb, "the corpus is not at %s", corpus)
	}
	return corpus
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
