package pec

import (
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

func parseAddress(s string) (*mail.Address, ProblemReason, error) {
	if hasControl(s) {
		return nil, ProblemControl, nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, ProblemBadAddress, err
	}
	if len(a.Address) > maxAddress || !plainAddress.MatchString(a.Address) {
		return nil, ProblemBadAddress, nil
	}
	// Encoded words can hold what the text itself may not.
	if hasControl(a.Name) {
		return nil, ProblemControl, nil
	}
	return a, "", nil
}

// addressParser reads display names in any charset.
func addressParser() *mail.AddressParser {
	return &mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charset.NewReader}}
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return strings.ToLower(domain)
}
