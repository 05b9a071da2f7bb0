package pec

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gopec/gopec/internal/mailtext"
)

// fieldName matches the name of a header field: RFC 5322, 2.2.
var fieldName = regexp.MustCompile(`^[!-9;-~]+$`)

// maxFieldName is the longest name of an extra field, in bytes. It leaves room for an
// encoded word in the same line.
const maxFieldName = 60

// maxFieldWord is how many bytes of a value that cannot be folded fit a line after the
// longest name.
const maxFieldWord = mailtext.MaxLine - maxFieldName - len(": ")

// ownFields are fields that compose writes itself, or that a sender may not write.
var ownFields = []string{
	"from", "sender", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references",
	"mime-version", "received", "dkim-signature",
}

// forbiddenFields may not be in a message that is submitted: the blind copy (RFC 6109,
// 3.1.1), and what a delivery adds.
var forbiddenFields = []string{"bcc", "return-path", "delivered-to"}

// forbiddenPrefixes begin the names of fields that resend another message, and of fields
// in which providers say what a message is (RFC 6109, appendix A).
var forbiddenPrefixes = []string{
	"resent-", "x-ricevuta", "x-trasporto", "x-riferimento-message-id", "x-verificasicurezza", "x-mittente",
}

// receiptFields ask for the receipts of ordinary mail.
var receiptFields = []string{"disposition-notification-to", "disposition-notification-options", "return-receipt-to"}

func isForbidden(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(forbiddenFields, name) ||
		slices.ContainsFunc(forbiddenPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

func asksForReceipts(name string) bool { return slices.Contains(receiptFields, strings.ToLower(name)) }

// isOwn reports whether a field may not be in ExtraHeader.
func isOwn(name string) bool {
	lower := strings.ToLower(name)
	return slices.Contains(ownFields, lower) || asksForReceipts(name) || isForbidden(name) ||
		strings.HasPrefix(lower, "content-") || strings.HasPrefix(lower, "x-tiporicevuta")
}

// checkExtraHeader returns the fields without a problem.
func (d *draft) checkExtraHeader(fields []HeaderField) []HeaderField {
	var good []HeaderField
	for _, f := range fields {
		known := len(d.problems)
		switch {
		case f.Name == "":
			d.problem("ExtraHeader", f.Name, ProblemMissing, nil)
		case !fieldName.MatchString(f.Name):
			d.problem("ExtraHeader", f.Name, ProblemMalformed, nil)
		case len(f.Name) > maxFieldName:
			d.problem("ExtraHeader", f.Name, ProblemTooLong, nil)
		case isOwn(f.Name):
			d.problem("ExtraHeader", f.Name, ProblemForbidden, nil)
		}
		d.checkText("ExtraHeader", f.Value)
		if len(d.problems) == known {
			good = append(good, f)
		}
	}
	return good
}

// checkText checks a text that goes into the header.
func (d *draft) checkText(field, value string) {
	switch {
	case !utf8.ValidString(value):
		d.problem(field, value, ProblemBadText, nil)
	case mailtext.HasControl(value):
		d.problem(field, value, ProblemControl, nil)
	}
}
