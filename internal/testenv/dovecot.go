package testenv

import (
	"fmt"
	"path/filepath"
	"testing"
)

// Dovecot is a real IMAP server on the loopback interface. Any user can log in with the
// one password.
type Dovecot struct {
	Addr string // host:port, with TLS from the first byte
	dir  string
	t    testing.TB
}

// StartDovecot starts the server. It runs until the test ends.
func StartDovecot(t testing.TB, id Identity, password string) Dovecot {
	Root(t)
	program := Program(t, "dovecot")
	dir := Dir(t)
	port := Port(t)
	conf := WriteFile(t, dir, "dovecot.conf", fmt.Sprintf(dovecotConf, dir, id.CertPath, id.KeyPath, password, port))
	Mkdir(t, dir, "mail", "mail")
	Start(t, port, program, "-F", "-c", conf)
	return Dovecot{fmt.Sprintf("127.0.0.1:%d", port), dir, t}
}

// Seed writes messages of a user to the disk and returns their paths. Call it before the
// user first logs in.
func (d Dovecot) Seed(user string, texts ...string) (paths []string) {
	d.t.Helper()
	box := Mkdir(d.t, filepath.Join(d.dir, "mail"), user, "mail")
	for _, name := range []string{"cur", "new", "tmp"} {
		Mkdir(d.t, box, name, "mail")
	}
	for i, text := range texts {
		paths = append(paths, WriteFile(d.t, filepath.Join(box, "cur"), fmt.Sprintf("%d.M%06d.host:2,", 1700000000+i, i), text))
	}
	return paths
}

const dovecotConf = `
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols = imap
ssl = required
ssl_cert = <%[2]s
ssl_key = <%[3]s
first_valid_uid = 1
mail_location = maildir:%[1]s/mail/%%u
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=100M
}
namespace inbox {
  inbox = yes
  prefix = INBOX.
  separator = .
  mailbox Spedite {
    special_use = \Sent
    auto = create
  }
}
auth_failure_delay = 0
mail_fsync = never
passdb {
  driver = static
  args = password=%[4]s
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/mail/%%u
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = %[5]d
    ssl = yes
  }
}
`
