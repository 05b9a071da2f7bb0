package pectest

import (
	"bytes"
	"fmt"
	"strings"
)

// The QUOTA extension (RFC 9208). The IMAP library does not know it, so the wire announces
// it and answers its commands.

// quotaCapability is added to the list of capabilities.
const quotaCapability = " QUOTA QUOTA=RES-STORAGE"

// announce adds the extension to the list of capabilities in an answer that has one; the
// wire's lock is held.
func (w *wire) announce(b []byte) []byte {
	verb, _, _ := strings.Cut(w.moment.Command, " ")
	switch strings.ToUpper(verb) {
	case "CAPABILITY", "LOGIN", "AUTHENTICATE", strings.ToUpper(MomentGreeting):
		mark := []byte("CAPABILITY IMAP4rev1")
		return bytes.Replace(b, mark, append(mark[:len(mark):len(mark)], quotaCapability...), 1)
	default:
		return b
	}
}

// extension answers GETQUOTA and GETQUOTAROOT, and forwards all other commands.
func (w *wire) extension(tag, command string) (forward bool, err error) {
	w.mu.Lock()
	m := w.account
	w.mu.Unlock()
	verb, argument, _ := strings.Cut(command, " ")
	verb = strings.ToUpper(verb)
	if m == nil || verb != "GETQUOTA" && verb != "GETQUOTAROOT" {
		return true, nil
	}
	var out strings.Builder
	if verb == "GETQUOTAROOT" {
		fmt.Fprintf(&out, "* QUOTAROOT %s \"\"\r\n", argument)
	}
	// The unit is 1024 bytes. Without a limit the resource is not listed.
	m.mu.Lock()
	used := (m.size() + 1023) / 1024
	m.mu.Unlock()
	list := ""
	if limit := m.account.Quota; limit > 0 {
		list = fmt.Sprintf("STORAGE %d %d", used, limit/1024)
	}
	fmt.Fprintf(&out, "* QUOTA \"\" (%s)\r\n%s OK %s completed\r\n", list, tag, verb)
	_, err = w.Write([]byte(out.String()))
	return false, err
}
