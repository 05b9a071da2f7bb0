package testenv

import (
	"fmt"
	"os/exec"
	"testing"
)

// Account is the only account of a server.
type Account struct {
	User     string
	Password string
	Token    string // what XOAUTH2 and OAUTHBEARER accept
}

// StartPostfix starts Postfix as the submission server of a provider. It runs until the
// test ends. Accepted messages go to the transport; a Dovecot of its own checks
// passwords and tokens. addr is for TLS from the first byte, clearAddr for STARTTLS.
func StartPostfix(t testing.TB, id Identity, account Account, transport string) (addr, clearAddr string) {
	Root(t)
	postfix := Program(t, "postfix")
	dir := Dir(t)
	port, clearPort := Port(t), Port(t)
	auth := startDovecotAuth(t, account)
	Mkdir(t, dir, "queue", "root")
	Mkdir(t, dir, "data", "postfix")
	conf := Mkdir(t, dir, "conf", "root")
	WriteFile(t, conf, "senders", "refused@pec.example 550 5.7.1 not your address\n")
	WriteFile(t, conf, "rcpts", "unknown@pec.example 550 5.1.1 no such mailbox\nbusy@pec.example DEFER_IF_PERMIT busy\n")
	WriteFile(t, conf, "main.cf", fmt.Sprintf(`
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = /dev/stdout
maillog_file_prefixes = /dev
myhostname = provider.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtp_dns_support_level = disabled
default_transport = %[2]s
local_transport = error:none
message_size_limit = 1048576
smtpd_peername_lookup = no
smtpd_delay_reject = no
smtpd_tls_cert_file = %[3]s
smtpd_tls_key_file = %[4]s
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %[5]s
smtpd_sender_restrictions = check_sender_access texthash:%[6]s/senders
smtpd_recipient_restrictions = check_recipient_access texthash:%[6]s/rcpts, permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_connection_rate_limit = 0
`, dir, transport, id.CertPath, id.KeyPath, auth, conf))
	WriteFile(t, conf, "master.cf", fmt.Sprintf(`
127.0.0.1:%d inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:%d inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
`, port, clearPort))
	// Registered before Start, so that it also stops a server that came up too late.
	t.Cleanup(func() { _ = exec.Command(postfix, "-c", conf, "stop").Run() })
	Start(t, port, postfix, "-c", conf, "start-fg")
	return fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", clearPort)
}
