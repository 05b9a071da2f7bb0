package program_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account"
)

// programs returns the folder with all programs, built once.
var programs = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "programs")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", folder+"/", "./...")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	if err != nil {
		err = errors.New(string(out))
	}
	return folder, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder, err := programs(); err == nil {
		os.RemoveAll(folder)
	}
	os.Exit(code)
}

// command returns a program to run. Its environment is only env and a folder for temporary
// files.
func command(ctx context.Context, t *testing.T, env []string, program string, args ...string) *exec.Cmd {
	t.Helper()
	folder, err := programs()
	require.NoError(t, err)
	c := exec.CommandContext(ctx, filepath.Join(folder, program), args...)
	c.Env = append(env, "TMPDIR="+t.TempDir())
	c.Dir = t.TempDir()
	return c
}

// with returns base followed by args.
func with(base []string, args ...string) []string {
	return append(append([]string{}, base...), args...)
}

// wrong names files and folders that are not what a flag asks for.
type wrong struct {
	missing, folder, unreadable, readOnly string
	text, empty, brokenPEM                string
	store, garbage, halfStore, newerStore string
	message                               string
}

func newWrong(t *testing.T) wrong {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	store := func(name string) (string, []byte) {
		path := filepath.Join(dir, name)
		_, closer, err := account.OpenStore(t.Context(), path)
		require.NoError(t, err)
		require.NoError(t, closer.Close())
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return path, content
	}
	w := wrong{
		missing: filepath.Join(dir, "no", "such"), folder: dir,
		unreadable: "/proc/self/mem", // it opens, but not even root can read it
		readOnly:   "/proc/self/x",   // no file can be made there
		text:       file("text", "Buongiorno.\n"), empty: file("empty", ""),
		brokenPEM: file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		garbage:   file("garbage.db", strings.Repeat("no store ", 1000)),
		message:   file("m.eml", "From: a@pec.example\nTo: b@pec.example\nSubject: x\n\nx\n"),
	}
	var content []byte
	w.store, content = store("sound.db")
	w.halfStore = file("half.db", string(content[:len(content)/2]))
	w.newerStore, _ = store("newer.db")
	db, err := sql.Open("sqlite", w.newerStore)
	require.NoError(t, err)
	_, err = db.Exec("UPDATE pec_schema SET version = 1000")
	require.NoError(t, errors.Join(err, db.Close()))
	return w
}
