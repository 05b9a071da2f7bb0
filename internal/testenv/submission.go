package testenv

import (
	"fmt"
	"strings"
	"testing"
)

// StartDovecotSubmission starts Dovecot's submission service. It runs until the test
// ends. It passes messages on to the server at relay, which must speak TLS from the
// first byte.
func StartDovecotSubmission(t testing.TB, id Identity, account Account, relay string) (addr string) {
	Root(t)
	dovecot := Program(t, "dovecot")
	Program(t, "/usr/lib/dovecot/submission")
	dir := Dir(t)
	port := Port(t)
	conf := WriteFile(t, dir, "dovecot.conf", fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols = submission
ssl = required
ssl_cert = <%[2]s
ssl_key = <%[3]s
mail_location = maildir:%[1]s/mail
hostname = provider.example
submission_relay_host = 127.0.0.1
submission_relay_port = %[4]s
submission_relay_ssl = smtps
submission_relay_ssl_verify = no
submission_relay_user = %[6]s
submission_relay_password = %[7]s
auth_failure_delay = 0
passdb {
  driver = static
  args = password=%[7]s
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s
}
service submission-login {
  inet_listener submission {
    port = 0
  }
  inet_listener submissions {
    address = 127.0.0.1
    port = %[5]d
    ssl = yes
  }
}
`, dir, id.CertPath, id.KeyPath, relay[strings.LastIndexByte(relay, ':')+1:], port, account.User, account.Password))
	Start(t, port, dovecot, "-F", "-c", conf)
	return fmt.Sprintf("127.0.0.1:%d", port)
}
