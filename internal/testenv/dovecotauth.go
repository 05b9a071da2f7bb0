package testenv

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// startDovecotAuth starts a Dovecot that only checks passwords and tokens; it asks a
// server of this test about tokens. It returns the socket where Postfix asks.
func startDovecotAuth(t testing.TB, account Account) (socket string) {
	dovecot := Program(t, "dovecot")
	dir := Dir(t)
	port := Port(t)
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != account.Token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, `{"email": %q}`, account.User)
	}))
	t.Cleanup(tokens.Close)
	oauth2 := WriteFile(t, dir, "oauth2.conf", "tokeninfo_url = "+tokens.URL+"/?token=\nusername_attribute = email\n")
	conf := WriteFile(t, dir, "dovecot.conf", fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
ssl = no
protocols =
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = %[4]s
}
passdb {
  driver = static
  mechanisms = plain login
  args = password=%[2]s
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener %[1]s/auth {
    mode = 0666
  }
  inet_listener {
    address = 127.0.0.1
    port = %[3]d
  }
}
`, dir, account.Password, port, oauth2))
	Start(t, port, dovecot, "-F", "-c", conf)
	return filepath.Join(dir, "auth")
}
