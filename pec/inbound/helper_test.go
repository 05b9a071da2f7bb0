package inbound_test

import "strings"

// The mailbox that receives, and the one that sends.
const (
	me    = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
)

// crlf gives text the line ends of mail.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
