// Package login is the part of a login that the clients of all protocols share: the
// checks before anything is sent, the choice of the mechanism, and its client side.
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

// XOAuth2 is the name of the token mechanism that is older than RFC 7628.
const XOAuth2 = "XOAUTH2"

const (
	maxUser   = 255     // in bytes; RFC 4616, 2: what every server takes
	maxSecret = 8 << 10 // in bytes; RFC 4954, 4: with the rest, 12288 characters of base64
)

// ErrCredentials reports a login name, password or token that no server could accept.
// Providers count refused logins and lock the mailbox, so it is not sent. The error does
// not show it.
var ErrCredentials = errors.New("not sent, because the server would refuse it")

// Check checks a login before a connection is made. The mechanism "" means a password.
// hasSecret says whether there is a function that returns the secret.
func Check(user, mechanism string, hasSecret bool) error {
	if user == "" || !hasSecret {
		return errors.New("a login needs a User and a Secret")
	}
	if err := carried("login name", user, maxUser); err != nil {
		return err
	}
	if !slices.Contains([]string{"", XOAuth2, sasl.OAuthBearer}, mechanism) {
		return fmt.Errorf("unknown mechanism %q: it must be empty for a password, or %s or %s for a token", mechanism, XOAuth2, sasl.OAuthBearer)
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

// carried refuses a text that would not arrive unchanged, or is surely a mistake. A line
// end is usually left over from reading a file. SASLprep prohibits control characters
// (RFC 4013, 2.3), and a mechanism's fields end with them.
func carried(what, text string, limit int) error {
	problem := ""
	switch {
	case text == "":
		problem = "is empty"
	case len(text) >= limit:
		problem = fmt.Sprintf("has %d bytes, at most %d are possible", len(text), limit-1)
	case !utf8.ValidString(text):
		problem = "is not UTF-8"
	case strings.ContainsAny(text, "\r\n"):
		problem = "holds a line end, perhaps that of the file it was read from"
	case strings.ContainsFunc(text, unicode.IsControl):
		problem = "holds a control character"
	default:
		return nil
	}
	return fmt.Errorf("the %s %s: %w", what, problem, ErrCredentials)
}

// token refuses what cannot be an access token (RFC 6750, 2.1). Usually that is a
// password, or a token with the word Bearer before it.
func token(text string) error {
	if err := carried("token", text, maxSecret); err != nil {
		return err
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf }) {
		return fmt.Errorf("the token holds a space or a non-ASCII character, as a password or the word Bearer before a token does: %w", ErrCredentials)
	}
	return nil
}
