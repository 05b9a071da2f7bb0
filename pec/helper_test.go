package pec_test

import "strings"

// crlf gives text the line ends of mail.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
