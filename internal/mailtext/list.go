package mailtext

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// WriteList returns a list of addresses as the value of a header field.
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

// plainMailbox is one address with or without a display name (RFC 5322, 3.4), in ASCII and
// without comments and the obsolete syntax: routes, and space within the address.
var plainMailbox = regexp.MustCompile(`^[ \t]*(?:` +
	`(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9!#$%&'*+/=?^_` + "`" + `{|}~. \t-])*<([^<>" \t]+)>|([^<>" \t]+))[ \t]*$`)

// ParseList returns the addresses of a plain list: in ASCII, without comments, groups,
// routes and quoted local parts. It reads the list in two ways, its own and that of package
// net/mail. They must agree, because a provider certifies the addresses that it reads.
func ParseList(value string) ([]string, error) {
	var ours []string
	for _, piece := range cutList(value) {
		m := plainMailbox.FindStringSubmatch(piece)
		if m == nil {
			return nil, fmt.Errorf("%.200q is not an address with or without a name, in plain ASCII", piece)
		}
		address := m[1] + m[2]
		if !IsPlainAddress(address) {
			return nil, fmt.Errorf("%.200q is not an address of letters, digits and dots, of at most %d octets", address, maxAddress)
		}
		ours = append(ours, address)
	}
	theirs, err := AddressParser().ParseList(value)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(ours, theirs, func(a string, b *mail.Address) bool { return a == b.Address }) {
		return nil, fmt.Errorf("programs may read different addresses in %.200q", value)
	}
	return ours, nil
}

// cutList cuts a list at the commas outside quoted strings.
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
