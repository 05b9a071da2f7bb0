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

// maxAddress is the longest address, in octets: RFC 5321, 4.5.3.1.3, without its brackets.
const maxAddress = 254

// plainAddress is dot-atom@dot-atom in ASCII. Quoted local parts and domain literals are
// legal in mail, but unknown to PEC, which is seven-bit by design (RFC 6109, 4.3).
var plainAddress = regexp.MustCompile(
	"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
		`@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)

// IsPlainAddress reports whether s is a bare address of the form that PEC knows:
// dot-atom@dot-atom (RFC 5322, 3.2.3) in ASCII, with a dot in the domain, and at most 254
// octets long.
func IsPlainAddress(s string) bool { return len(s) <= maxAddress && plainAddress.MatchString(s) }

// AddressParser returns a parser that reads display names in any charset.
func AddressParser() *mail.AddressParser {
	return &mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charset.NewReader}}
}

// HasControl reports whether s has a control character, such as a line break.
func HasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// ReadLists returns the addresses in all values of a field. It reads a malformed list item
// by item, and returns the addresses that it can read together with an error.
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
