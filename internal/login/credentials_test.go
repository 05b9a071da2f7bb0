package login_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

const (
	user  = "mario@pec.example"
	token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
)

// recorder is a server that refuses every login and keeps each line it hears.
type recorder struct {
	addr string
	id   testenv.Identity

	mu    sync.Mutex
	heard []string
	dials int
	done  chan struct{} // receives at the end of each connection
}

func record(t *testing.T, serve func(r *recorder, conn *bufio.ReadWriter)) *recorder {
	r := &recorder{id: testenv.NewIdentity(t), done: make(chan struct{}, 10)}
	r.addr = testenv.Listen(t, r.id.Server, func(conn net.Conn) {
		r.mu.Lock()
		r.dials++
		r.mu.Unlock()
		serve(r, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)))
		conn.Close()
		r.done <- struct{}{}
	})
	return r
}

// line gives the next line without its end; it is false when there is none.
func (r *recorder) line(conn *bufio.ReadWriter) (string, bool) {
	conn.Flush()
	text, err := conn.ReadString('\n')
	text = strings.TrimRight(text, "\r\n")
	if text != "" {
		r.mu.Lock()
		r.heard = append(r.heard, text)
		r.mu.Unlock()
	}
	return text, err == nil
}

// smtpServer offers the one mechanism.
func smtpServer(mechanism string) func(*recorder, *bufio.ReadWriter) {
	return func(r *recorder, conn *bufio.ReadWriter) {
		fmt.Fprint(conn, "220 fake\r\n")
		for line, ok := r.line(conn); ok; line, ok = r.line(conn) {
			switch verb, _, _ := strings.Cut(line, " "); {
			case verb == "EHLO":
				fmt.Fprintf(conn, "250-fake\r\n250 AUTH %s\r\n", mechanism)
			case line == "AUTH LOGIN "+encode(user):
				fmt.Fprintf(conn, "334 %s\r\n", encode("Password:"))
			case verb == "QUIT":
				fmt.Fprint(conn, "221 bye\r\n")
			default:
				fmt.Fprint(conn, "535 5.7.8 no\r\n")
			}
		}
	}
}

// imapServer offers the one mechanism, or the command LOGIN in its place.
func imapServer(mechanism string) func(*recorder, *bufio.ReadWriter) {
	caps := "SASL-IR LOGINDISABLED AUTH=" + mechanism
	if mechanism == "LOGIN" {
		caps = "LITERAL+"
	}
	return func(r *recorder, conn *bufio.ReadWriter) {
		fmt.Fprint(conn, "* OK fake\r\n")
		for line, ok := r.line(conn); ok; line, ok = r.line(conn) {
			var size int64
			if open := strings.LastIndex(line, "{"); open >= 0 { // a literal is a part of its line
				if n, _ := fmt.Sscanf(line[open:], "{%d+}", &size); n == 1 {
					text := make([]byte, size)
					_, _ = io.ReadFull(conn, text)
					rest, _ := conn.ReadString('\n')
					r.mu.Lock()
					r.heard[len(r.heard)-1] = line[:open] + string(text) + strings.TrimRight(rest, "\r\n")
					r.mu.Unlock()
				}
			}
			tag, command, _ := strings.Cut(line, " ")
			switch command {
			case "CAPABILITY":
				fmt.Fprintf(conn, "* CAPABILITY IMAP4rev1 %s\r\n%s OK done\r\n", caps, tag)
			case "LOGOUT":
				fmt.Fprintf(conn, "%s OK bye\r\n", tag)
			default:
				fmt.Fprintf(conn, "%s NO no\r\n", tag)
			}
		}
	}
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// A provider counts refused logins and locks the mailbox. What no server can take
// for the secret must not reach one: by no client, in no mechanism.
func TestCredentials(t *testing.T) {
	long := strings.Repeat("a", 8<<10)
	const (
		never = "at New"   // no connection is made
		later = "at login" // the secret is refused here
		sent  = ""         // the server refuses it
	)
	cases := []struct {
		name, user, secret string
		password, token    string // what becomes of it
	}{
		{"sound", user, token, sent, sent},
		{"empty login", "", token, never, never},
		{"NUL in the login", "mario\x00pec", token, never, never},
		{"line end in the login", "mario\r\nA2 LOGOUT", token, never, never},
		{"field in the login", "mario\x01auth=Bearer a", token, never, never},
		{"control character of ISO 8859", "mario\u0085", token, never, never},
		{"not UTF-8 login", "mar\xeco", token, never, never},
		{"long login", long, token, never, never},
		{"empty secret", user, "", later, later},
		{"NUL", user, "a\x00b", later, later},
		{"only NUL", user, "\x00", later, later},
		{"CR", user, "s3cret\r", later, later},
		{"LF", user, "s3cret\n", later, later},
		{"CRLF and a command", user, "s3cret\r\nA2 LOGOUT", later, later},
		{"tab", user, "a\tb", later, later},
		{"DEL", user, "a\x7f", later, later},
		{"field", user, "a\x01auth=Bearer b", later, later},
		{"ISO 8859-1", user, "perch\xe9", later, later},
		{"half a character", user, "a\xe2\x82", later, later},
		{"very long", user, long, later, later},
		{"long", user, long[:4<<10], sent, sent},
		{"space, a password", user, "two words", sent, later},
		{"Bearer in front of the token", user, "Bearer " + token, sent, later},
		{"not ASCII, a password", user, "perché", sent, later},
		{"quotes", user, `a"b\c`, sent, sent},
	}
	clients := []struct {
		name  string
		serve func(string) func(*recorder, *bufio.ReadWriter)
		// try logs in, and says whether the reason of the error is config or secret.
		try func(r *recorder, l pec.Login) (config, secret bool, err error)
	}{
		{"SMTP", smtpServer, func(r *recorder, l pec.Login) (config, secret bool, err error) {
			c, err := smtpclient.New(r.addr, l, &smtpclient.Options{TLS: r.id.Client})
			if err == nil {
				_, err = c.Probe(t.Context())
				assert.NoError(t, c.Close())
			}
			var known *smtpclient.Error
			errors.As(err, &known)
			return known != nil && known.Reason == smtpclient.ReasonConfig, known != nil && known.Reason == smtpclient.ReasonSecret, err
		}},
		{"IMAP", imapServer, func(r *recorder, l pec.Login) (config, secret bool, err error) {
			c, err := imapclient.New(r.addr, l, &imapclient.Options{TLS: r.id.Client})
			if err == nil {
				_, err = c.Probe(t.Context())
				assert.NoError(t, c.Close())
			}
			var known *imapclient.Error
			errors.As(err, &known)
			return known != nil && known.Reason == imapclient.ReasonConfig, known != nil && known.Reason == imapclient.ReasonSecret, err
		}},
	}
	mechanisms := []struct {
		mechanism pec.Mechanism
		offered   string
	}{{pec.MechanismPassword, "PLAIN"}, {pec.MechanismPassword, "LOGIN"}, {pec.MechanismXOAUTH2, "XOAUTH2"}, {pec.MechanismOAuthBearer, "OAUTHBEARER"}}
	runs := 0
	for _, client := range clients {
		for _, m := range mechanisms {
			for _, c := range cases {
				runs++
				t.Run(client.name+"/"+m.offered+"/"+c.name, func(t *testing.T) {
					testenv.NoLeak(t)
					r := record(t, client.serve(m.offered))
					l := pec.Password(c.user, c.secret)
					l.Mechanism = m.mechanism
					config, secret, err := client.try(r, l)
					require.Error(t, err)
					want := c.token
					if m.mechanism == pec.MechanismPassword {
						want = c.password
					}
					if want != never {
						<-r.done
					}
					var refused *pec.LoginError
					switch want {
					case never:
						assert.True(t, config, "%v", err)
						assert.Zero(t, r.dials)
					case later:
						assert.True(t, secret, "%v", err)
						assert.Equal(t, 1, r.dials)
						assert.Empty(t, logins(r.heard))
					default:
						require.ErrorAs(t, err, &refused)
						require.NotEmpty(t, logins(r.heard))
						assert.Contains(t, decoded(r.heard), c.secret, "arrives as it is")
					}
					if len(c.secret) > len("s3cret") {
						assert.NotContains(t, err.Error(), c.secret)
					}
				})
			}
		}
	}
	require.Equal(t, 200, runs)
}

// logins are the lines that belong to a login.
func logins(heard []string) (found []string) {
	for _, line := range heard {
		for _, verb := range []string{"AUTH", "LOGIN", "AUTHENTICATE"} {
			if first(strings.Fields(line), verb) {
				found = append(found, line)
			}
		}
	}
	return found
}

func first(words []string, word string) bool {
	return len(words) > 0 && words[0] == word || len(words) > 1 && words[1] == word
}

// decoded is all that was heard, in the clear.
func decoded(heard []string) string {
	var all strings.Builder
	for _, line := range heard {
		for _, word := range strings.Fields(line) {
			if text, err := base64.StdEncoding.DecodeString(word); err == nil {
				all.Write(text)
				all.WriteByte('\n')
			}
		}
		all.WriteString(line + "\n")
		all.WriteString(strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(line) + "\n")
	}
	return all.String()
}
