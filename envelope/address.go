package envelope

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"
	"unicode"
)

// fromAddress returns the one address of the one outer From field. Several are an
// error: programs disagree on which one they show.
func (c *check) fromAddress() (string, error) {
	fields := c.header.Values("From")
	if len(fields) != 1 {
		return "", fmt.Errorf("%d From fields, not one", len(fields))
	}
	// A group (RFC 6854) is refused: programs show its freely chosen name in place of
	// the address in it.
	if hasGroup(fields[0]) {
		return "", errors.New("the From field holds a group of addresses")
	}
	// Nothing here shows display names, so an unknown charset in one must not fail.
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{
		CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil },
	}}
	addresses, err := parser.ParseList(fields[0])
	if err != nil {
		return "", fmt.Errorf("the From field: %w", err)
	}
	if len(addresses) != 1 {
		return "", fmt.Errorf("%d addresses in the From field, not one", len(addresses))
	}
	return addresses[0].Address, nil
}

// hasGroup reports whether an address list has the syntax of a group, "name: list;",
// outside quoted strings and comments (RFC 5322, 3.4).
func hasGroup(list string) bool {
	quoted, comment := false, 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\':
			i++
		case c == '"' && comment == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			comment++
		case c == ')' && !quoted:
			comment--
		case (c == ':' || c == ';') && !quoted && comment == 0:
			return true
		}
	}
	return false
}

// SameAddress reports whether two addresses are equal, ignoring the case of ASCII
// letters and space around them (RFC 6109, 2.2.1). Letters that Unicode folds to ASCII
// ones, such as the Kelvin sign, stay different: they name another mailbox.
func SameAddress(a, b string) bool { return NormalizeAddress(a) == NormalizeAddress(b) }

// NormalizeAddress returns an address in the form that SameAddress compares: without
// space around it, and with ASCII letters in lower case.
func NormalizeAddress(address string) string { return lower(strings.TrimSpace(address)) }

// SameMessageID reports whether two Message-IDs are equal once normalised, ignoring
// the case of ASCII letters. An empty Message-ID equals nothing, not even another
// empty one.
func SameMessageID(a, b string) bool {
	a, b = NormalizeMessageID(a), NormalizeMessageID(b)
	return a != "" && equalFold(a, b)
}

// NormalizeMessageID returns a Message-ID without white space, which folding leaves
// in long ones, and without one pair of angle brackets around it. The case is kept.
func NormalizeMessageID(id string) string {
	if strings.ContainsFunc(id, unicode.IsSpace) {
		id = strings.Join(strings.Fields(id), "")
	}
	if strings.HasPrefix(id, "<") && strings.HasSuffix(id, ">") {
		id = id[1 : len(id)-1]
	}
	return id
}

// equalFold is strings.EqualFold for ASCII letters only.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

// lower is strings.ToLower for ASCII letters only.
func lower(s string) string {
	for i := range len(s) {
		if lowerByte(s[i]) != s[i] {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lowerByte(b[i])
			}
			return string(b)
		}
	}
	return s
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
