package smtpclient

import (
	"errors"
	"fmt"

	"github.com/gopec/gopec/pec"
)

// checkAddresses refuses what could change the meaning of a command (RFC 5321,
// 4.1.2), and what is not ASCII: PEC is carried without SMTPUTF8.
func checkAddresses(s pec.Submission) error {
	if len(s.To) == 0 {
		return &Error{Op: "RCPT", Reason: ReasonAddress, Err: errors.New("no recipient")}
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
			return fmt.Errorf("byte %#02x in address %q", c, address)
		}
	}
	return nil
}
