package testenv

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres is a PostgreSQL server. The zero value starts at its first use and runs until
// Stop, so that one server serves all tests of a package.
type Postgres struct {
	dir       string
	bin       string
	port      int
	account   *syscall.SysProcAttr
	cmd       *exec.Cmd
	input     io.Closer
	databases atomic.Int32
}

// Database makes an empty schema and returns the DSN of its owner, a role without any
// other privileges. Without PostgreSQL the test is skipped.
func (s *Postgres) Database(t testing.TB) (dsn string) {
	t.Helper()
	if s.cmd == nil {
		s.create(t)
		s.Start(t)
	}
	name := fmt.Sprintf("pec%d", s.databases.Add(1))
	s.Admin(t, "CREATE ROLE "+name+" LOGIN")
	s.Admin(t, "CREATE SCHEMA AUTHORIZATION "+name) // the first in its search_path
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/postgres?sslmode=disable", name, s.port)
}

// Admin runs a statement as the superuser.
func (s *Postgres) Admin(t testing.TB, statement string) {
	t.Helper()
	db, err := s.admin()
	check(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	check(t, err)
}

func (s *Postgres) admin() (*sql.DB, error) {
	return sql.Open("pgx", fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port))
}

// create makes the folder and the cluster in it.
func (s *Postgres) create(t testing.TB) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	check(t, err)
	if len(found) == 0 {
		Missing(t, "PostgreSQL is not installed; .ci/run names the Debian packages")
	}
	s.bin = found[len(found)-1]
	s.dir, err = os.MkdirTemp("", "gopec-postgres")
	check(t, err)
	if os.Geteuid() == 0 { // the server refuses to run as root
		postgres, err := user.Lookup("postgres")
		check(t, err)
		uid, err := strconv.Atoi(postgres.Uid)
		check(t, err)
		gid, err := strconv.Atoi(postgres.Gid)
		check(t, err)
		check(t, os.Chown(s.dir, uid, gid))
		s.account = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	cmd := exec.Command(filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.dir, s.account
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.port = Port(t)
}

func (s *Postgres) data() string { return filepath.Join(s.dir, "data") }

// watched runs a server until standard input ends, so that it does not outlive tests
// that are killed. It ends as in a crash, without a checkpoint.
const watched = `"$0" "$@" </dev/null & cat >/dev/null; kill -QUIT $!; wait $!`

// Start starts the server, or starts it again after Halt, and returns once it answers.
func (s *Postgres) Start(t testing.TB) {
	t.Helper()
	output, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(t, err)
	defer output.Close()
	s.cmd = exec.Command("/bin/sh", "-c", watched, filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200")
	s.cmd.Dir, s.cmd.SysProcAttr = s.dir, s.account
	s.cmd.Stdout, s.cmd.Stderr = output, output
	s.input, err = s.cmd.StdinPipe()
	check(t, err)
	check(t, s.cmd.Start())
	db, err := s.admin()
	check(t, err)
	defer db.Close()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for db.PingContext(t.Context()) != nil {
		select {
		case <-tick.C:
		case <-deadline:
			said, _ := os.ReadFile(output.Name())
			t.Fatalf("postgres does not answer:\n%s", said)
		}
	}
}

// Halt stops the server at once, as a crash does.
func (s *Postgres) Halt() {
	s.input.Close()
	_ = s.cmd.Wait()
}

// Stop ends the server, if it was ever started, and removes its folder.
func (s *Postgres) Stop() {
	if s.input != nil {
		s.Halt()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}
