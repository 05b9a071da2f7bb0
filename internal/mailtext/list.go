package mailtext

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// WriteList writes addresses as the value of a header field.
func WriteList(list []*mail.Address) string {
	texts := make([]string, len(list))
	for i, a := range list {
		if Text(a.Name, LongWord) == a.Name {
			texts[i] = a.String()
		} else {
			texts[i] = encodeWords(a.Name) + " <" + a.Address + ">"
		}
	}
	return strings.Join(texts, ", ")
}

var errAddressList = errors.New("not a plain list of addresses")

// plainMailbox is one address with or without a display name (RFC 5322, 3.4), in
// ASCII and without what is obsolete: comments, routes, and space within the address.
var plainMailbox = regexp.MustCompile(`^[ \t]*(?:` +
	`(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9!#$%&'*+/=?^_` + "`" + `{|}~. \t-])*<([^<>" \t]+)>|([^<>" \t]+))[ \t]*$`)

// ParseList reads an address list in two ways, ours and the library's. They
// must agree: a provider certifies the addresses that it reads.
func ParseList(value string) ([]string, error) {
	var ours []string
	for _, piece := range cutList(value) {
		m := plainMailbox.FindStringSubmatch(piece)
		if m == nil {
			return nil, errAddressList
		}
		address := m[1] + m[2]
		if !IsPlainAddress(address) {
			return nil, errAddressList
		}
		ours = append(ours, address)
	}
	theirs, err := AddressParser().ParseList(value)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(ours, theirs, func(a string, b *mail.Address) bool { return a == b.Address }) {
		return nil, fmt.Errorf("%w: %q", errAddressList, value)
	}
	return ours, nil
}

// cutList cuts at the commas outside quoted strings.
func cutList(value string) []string {
	var pieces []string
	quoted, start := false, 0
	for i := 0; i < len(value); i++ {
		switch {
		case quoted && value[i] == '\\':
			i++
		case value[i] == '"':
			quoted = !quoted
		case value[i] == ',' && !quoted:
			pieces = append(pieces, value[start:i])
			start = i + 1
		}
	}
	return append(pieces, value[start:])
}
