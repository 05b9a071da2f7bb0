package smtpclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/gopec/gopec/pec"
)

// refusal returns the server's reply inside err; ok is false if there is none.
func refusal(err error) (r pec.Reply, ok bool) {
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		return pec.Reply{}, false
	}
	r = pec.Reply{Code: reply.Code, Text: oneLine(reply.Message)}
	if e := reply.EnhancedCode; e != smtp.EnhancedCodeNotSet {
		r.Enhanced = fmt.Sprintf("%d.%d.%d", e[0], e[1], e[2])
	}
	return r, true
}

// readReply reads one complete reply. It returns the zero value if none comes.
func readReply(src io.Reader) pec.Reply {
	code, text, err := textproto.NewReader(bufio.NewReaderSize(io.LimitReader(src, maxReply), 512)).ReadResponse(0)
	if err != nil {
		return pec.Reply{}
	}
	return newReply(code, text)
}

// newReply makes a Reply from what package textproto has parsed.
func newReply(code int, text string) pec.Reply {
	r := pec.Reply{Code: code, Text: oneLine(text)}
	if first, rest, ok := strings.Cut(text, " "); ok && isEnhanced(first) {
		// RFC 2034, 4: each line of the reply repeats the code.
		r.Enhanced, r.Text = first, oneLine(strings.ReplaceAll(rest, "\n"+first+" ", "\n"))
	}
	return r
}

// isEnhanced reports whether word is an enhanced status code (RFC 3463, 2), unlike
// 192.0.2.1.
func isEnhanced(word string) bool {
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || !strings.Contains("245", parts[0]) {
		return false
	}
	for _, part := range parts {
		if len(part) < 1 || len(part) > 3 || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// oneLine joins the lines of a multi-line reply (RFC 5321, 4.2.1).
func oneLine(text string) string { return strings.Join(strings.Split(text, "\n"), " ") }
