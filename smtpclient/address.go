package smtpclient

import (
	"errors"
	"fmt"

	"github.com/gopec/gopec/pec"
)

// checkAddresses refuses an address with a byte that could change the meaning of a
// command (RFC 5321, 4.1.2) or that is not ASCII: PEC is carried without SMTPUTF8.
func checkAddresses(s pec.Submission) error {
	if len(s.To) == 0 {
		return &Error{Op: "RCPT", Reason: ReasonAddress, Err: errors.New("no recipient: at least one is required")}
	}
	if err := checkAddress(s.From); err != nil {
		return &Error{Op: "MAIL", Reason: ReasonAddress, Err: err}
	}
	for _, to := range s.To {
		if err := checkAddress(to); err != nil {
			return &Error{Op: "RCPT", Reason: ReasonAddress, Err: err}
		}
	}
	return nil
}

func checkAddress(address string) error {
	if address == "" {
		return errors.New("empty address")
	}
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return fmt.Errorf("address %q holds byte %#02x: only ASCII without spaces, control characters, < and > is allowed", address, c)
		}
	}
	return nil
}
