package receipt_test

import "strings"

// The mailbox that sends, and two that receive.
const (
	me    = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
	bruna = "bruna@beta-pec.example"
)

// crlf gives text the line ends of mail.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
