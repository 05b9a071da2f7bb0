package mailtext

import (
	"errors"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/gopec/gopec/internal/charset"
)

// maxAddress is the longest address: RFC 5321, 4.5.3.1.3, less its brackets.
const maxAddress = 254

// plainAddress is dot-atom@dot-atom in ASCII. Quoted local parts and literals are
// legal mail and unknown to PEC, which is seven-bit by design (RFC 6109, 4.3).
var plainAddress = regexp.MustCompile(
	"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
		`@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)

// IsPlainAddress reports whether s is a bare address that PEC knows: dot-atom@dot-atom in
// ASCII, at most 254 octets.
func IsPlainAddress(s string) bool { return len(s) <= maxAddress && plainAddress.MatchString(s) }

// AddressParser returns a parser that reads display names in any charset.
func AddressParser() *mail.AddressParser {
	return &mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charset.NewReader}}
}

// HasControl reports a control character, a line break among them.
func HasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// ReadLists reads the addresses of a field that may be repeated, as far as they can be
// read. Addresses of a list that is malformed come beside an error.
func ReadLists(values []string) ([]*mail.Address, error) {
	parser := AddressParser()
	var list []*mail.Address
	var errs []error
	for _, value := range values {
		value, _ = charset.Decode("", []byte(value))
		if value == "" {
			continue
		}
		addresses, err := parser.ParseList(value)
		if err == nil {
			list = append(list, addresses...)
			continue
		}
		errs = append(errs, err)
		for item := range strings.SplitSeq(value, ",") {
			if a, err := parser.Parse(strings.TrimSpace(item)); err == nil {
				list = append(list, a)
			}
		}
	}
	return list, errors.Join(errs...)
}
