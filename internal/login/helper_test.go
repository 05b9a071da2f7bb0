package login_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/login"
	"github.com/gopec/gopec/internal/testenv"
)

const (
	user  = "mario@pec.example"
	token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
)

// recorder is a server that refuses every login and keeps each line it receives.
type recorder struct {
	addr string
	id   testenv.Identity

	mu    sync.Mutex
	heard []string
	dials int
	done  chan struct{} // receives at the end of each connection
}

// record starts a recorder; serve plays each connection.
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

// line returns the next line without its end, and false if it is the last or there is
// none.
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

// smtpServer offers only the one mechanism.
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

// imapServer offers only the one mechanism. LOGIN means the command of that name.
func imapServer(mechanism string) func(*recorder, *bufio.ReadWriter) {
	caps := "SASL-IR LOGINDISABLED AUTH=" + mechanism
	if mechanism == "LOGIN" {
		caps = "LITERAL+"
	}
	return func(r *recorder, conn *bufio.ReadWriter) {
		fmt.Fprint(conn, "* OK fake\r\n")
		for line, ok := r.line(conn); ok; line, ok = r.line(conn) {
			var size int64
			if open := strings.LastIndex(line, "{"); open >= 0 { // a literal is part of its line
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

// logins returns the lines that log in.
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

// first reports whether word comes first, or first after a tag.
func first(words []string, word string) bool {
	return len(words) > 0 && words[0] == word || len(words) > 1 && words[1] == word
}

// decoded returns the lines together with what is base64 or quoted in them, decoded.
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

// newClient returns a client that logs in with token.
func newClient(t *testing.T, name, user, addr string) *login.Client {
	t.Helper()
	c, err := login.NewClient(name, user, token, addr)
	require.NoError(t, err)
	return c
}
