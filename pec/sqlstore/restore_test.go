package sqlstore_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/sqlstore"
)

// guideBlocks returns the code blocks of README.md in a language, without indentation.
func guideBlocks(t *testing.T, language string) []string {
	t.Helper()
	guide, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var blocks []string
	for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		blocks = append(blocks, regexp.MustCompile(`(?m)^ +`).ReplaceAllString(block[1], ""))
	}
	return blocks
}

// shell runs commands of README.md in a folder.
func shell(t *testing.T, folder, script string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
}

// fillBeforeBackup appends what a restored backup must have.
func fillBeforeBackup(t *testing.T, s pec.Store) {
	mustAppend(t, s, fact("intent", "a@x"), rawFact("attempt", oldRaw))
	require.NoError(t, s.SetCursor(t.Context(), box, oldCursor))
}

// requireRestored requires that the Store has what it had at the backup and nothing later,
// and that a Client sends nothing. known is the last Position of the backup, lost is a
// later one.
func requireRestored(t *testing.T, s pec.Store, known, lost pec.Position) {
	t.Helper()
	require.Equal(t, []string{"intent", "attempt"}, feedOf(t, s, "", 2))
	raw, err := readRaw(t, s, "attempt")
	require.NoError(t, err)
	require.Equal(t, oldRaw, raw)
	cursors, err := s.Cursors(t.Context(), box)
	require.NoError(t, err)
	require.Equal(t, []pec.Cursor{oldCursor}, cursors)

	refused := func() {
		t.Helper()
		for _, err := range s.Changes(t.Context(), box, lost) {
			require.ErrorIs(t, err, pec.ErrUnknownPosition)
			return
		}
		require.Fail(t, "Changes accepts a Position that was lost")
	}
	refused()
	require.NoError(t, markRestored(t.Context(), s, time.Time{}, box, "new@pec.example"))
	require.Equal(t, []string{"restoration/1"}, feedOf(t, s, known, 1))
	mustAppend(t, s, fact("later", "b@x"), fact("and later", "b@x"))
	refused()

	network := pectest.Start(t, nil)
	verifier := trusttest.Verifier(t, network, nil)
	unused := &stream{}
	for _, address := range []string{box, "new@pec.example"} {
		client, err := pec.New(address, unused, unused, verifier, &pec.Options{Store: s})
		require.NoError(t, err)
		_, err = client.Send(context.WithoutCancel(t.Context()), pec.Message{To: []string{"a@pec.example"}, Subject: "S", Text: "T", Key: "k"})
		var held *pec.HeldError
		require.ErrorAs(t, err, &held)
	}
}

func TestGuideRestoresSQLite(t *testing.T) {
	commands := guideBlocks(t, "sh")
	require.Len(t, commands, 4)
	backUp, restore := commands[0], commands[2]
	statements := guideBlocks(t, "sql")
	require.Len(t, statements, 1)
	ways := map[string]func(t *testing.T, folder string){
		"statement": func(t *testing.T, folder string) {
			_, err := openFile(t, filepath.Join(folder, "pec.db"), pragmas).ExecContext(t.Context(),
				strings.Replace(statements[0], "backup.db", filepath.Join(folder, "backup.db"), 1))
			require.NoError(t, err)
		},
	}
	if _, err := exec.LookPath("sqlite3"); err == nil {
		ways["shell"] = func(t *testing.T, folder string) { shell(t, folder, backUp) }
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			db := openFile(t, filepath.Join(folder, "pec.db"), pragmas)
			store, err := sqlstore.OpenSQLite(t.Context(), db)
			require.NoError(t, err)
			fillBeforeBackup(t, store)
			_, known := feed(t, store, "")
			way(t, folder)
			mustAppend(t, store, fact("lost", "b@x"))
			_, lost := feed(t, store, "")
			require.NoError(t, db.Close())
			shell(t, folder, restore)
			requireRestored(t, sqliteStore(t, filepath.Join(folder, "pec.db")), known, lost)
		})
	}
}

func TestGuideRestoresPostgreSQL(t *testing.T) {
	commands := guideBlocks(t, "sh")
	require.Len(t, commands, 4)
	// Each store has a database of its own, since pg_dump dumps a whole database.
	owner := server.Database(t)
	name := regexp.MustCompile(`//(\w+)@`).FindStringSubmatch(owner)[1]
	database := func(suffix string) string {
		server.Admin(t, "CREATE DATABASE "+name+suffix+" OWNER "+name)
		return strings.Replace(owner, "/postgres?", "/"+name+suffix+"?", 1)
	}
	live, fresh, folder := database("_live"), database("_new"), t.TempDir()
	store := postgresStore(t, live)
	fillBeforeBackup(t, store)
	feedOf(t, store, "", 2)
	_, known := feed(t, store, "")
	shell(t, folder, commands[1], "PEC_LIVE="+live)
	mustAppend(t, store, fact("lost", "b@x"))
	feedOf(t, store, known, 1)
	_, lost := feed(t, store, "")
	shell(t, folder, commands[3], "PEC_NEW="+fresh)
	requireRestored(t, postgresStore(t, fresh), known, lost)
}
