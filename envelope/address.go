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

// fromAddress gives the one address of the one outer From field. Of several,
// programs show different ones.
func (c *check) fromAddress() (string, error) {
	fields := c.header.Values("From")
	if len(fields) != 1 {
		return "", fmt.Errorf("%d From fields", len(fields))
	}
	// A group (RFC 6854) has a name of its own choosing to show for the address in it.
	if hasGroup(fields[0]) {
		return "", errors.New("a group in the From field")
	}
	// Display names are shown by nobody here: their charset must not matter.
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{
		CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil },
	}}
	addresses, err := parser.ParseList(fields[0])
	if err != nil {
		return "", fmt.Errorf("the From field: %w", err)
	}
	if len(addresses) != 1 {
		return "", fmt.Errorf("%d addresses in the From field", len(addresses))
	}
	return addresses[0].Address, nil
}

// hasGroup tells whether an address list holds the syntax of a group, "name: list;",
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

// SameAddress compares two addresses without regard to the case of ASCII letters
// and to outer space: RFC 6109, 2.2.1. Letters that Unicode folds to ASCII ones,
// such as the Kelvin sign, stay different: they make another mailbox.
func SameAddress(a, b string) bool { return NormalizeAddress(a) == NormalizeAddress(b) }

// NormalizeAddress gives an address in the form in which SameAddress compares two:
// without outer space, ASCII letters in lower case.
func NormalizeAddress(address string) string { return lower(strings.TrimSpace(address)) }

// SameMessageID tells whether two Message-IDs are equal once normalised, without
// regard to case. An empty one equals none.
func SameMessageID(a, b string) bool {
	a, b = NormalizeMessageID(a), NormalizeMessageID(b)
	return a != "" && equalFold(a, b)
}

// NormalizeMessageID gives a Message-ID in the form in which two are compared:
// without white space, which folding leaves in long ones, and without one pair of
// angle brackets. The case is kept.
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
