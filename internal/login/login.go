// Package login is what the clients of all protocols share of a login: the checks
// before anything is sent, the choice of the mechanism, and its client side.
package login

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-sasl"
)

// XOAuth2 is the name of the mechanism that came before the standard.
const XOAuth2 = "XOAUTH2"

const (
	maxUser   = 255     // RFC 4616, 2: what every server takes
	maxSecret = 8 << 10 // RFC 4954, 4: with the rest, 12288 characters of base64
)

// ErrCredentials reports a login name, password or token that no server could take for
// what it is. Providers count refused logins and lock the mailbox, so it is not sent.
// The error does not show the bytes.
var ErrCredentials = errors.New("not sent, because the server would refuse it")

// Check looks at a login before a connection is made. The mechanism "" is a
// password; hasSecret says whether there is somebody to ask for it.
func Check(user, mechanism string, hasSecret bool) error {
	if user == "" || !hasSecret {
		return errors.New("a login with user and secret is required")
	}
	if err := carried("login name", user, maxUser); err != nil {
		return err
	}
	if !slices.Contains([]string{"", XOAuth2, sasl.OAuthBearer}, mechanism) {
		return fmt.Errorf("unknown mechanism %q", mechanism)
	}
	return nil
}

// Choose picks the mechanism from those offered, whose names are in upper case. Its
// error says that none fits: a password is never sent as a token, nor a token as a
// password.
func Choose(mechanism string, offered []string) (string, error) {
	fitting := []string{mechanism}
	if mechanism == "" {
		fitting = []string{sasl.Plain, sasl.Login}
	}
	for _, name := range fitting {
		if slices.Contains(offered, name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("the login needs %s, but the server offers only %q", strings.Join(fitting, " or "), offered)
}

// carried refuses what would not arrive as it is, or could not be meant. A line end
// is what a file has after its last line. SASLprep prohibits control characters (RFC
// 4013, 2.3), and a mechanism's fields end with them.
func carried(what, text string, limit int) error {
	problem := ""
	switch {
	case text == "":
		problem = "is empty"
	case len(text) >= limit:
		problem = fmt.Sprintf("has %d bytes or more", limit)
	case !utf8.ValidString(text):
		problem = "is not UTF-8"
	case strings.ContainsAny(text, "\r\n"):
		problem = "holds a line end"
	case strings.ContainsFunc(text, unicode.IsControl):
		problem = "holds a control character"
	default:
		return nil
	}
	return fmt.Errorf("the %s %s: %w", what, problem, ErrCredentials)
}

// token refuses what cannot be an access token (RFC 6750, 2.1): most often it is a
// password, or begins with the word Bearer.
func token(text string) error {
	if err := carried("token", text, maxSecret); err != nil {
		return err
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf }) {
		return fmt.Errorf("the token holds a space or a character beyond ASCII: %w", ErrCredentials)
	}
	return nil
}
