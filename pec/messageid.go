package pec

import (
	"crypto/rand"
	"encoding/base32"
	"regexp"
	"strings"
)

// maxMessageID is the longest Message-ID of ours, in bytes. Its field fits one line of 78
// characters, so that no program on the way folds it.
const maxMessageID = 64

// newMessageID makes the Message-ID of a send, without angle brackets: 128 random bits at
// the sender's domain, in lower case. A domain that is too long loses its first labels.
func newMessageID(sender string) string {
	var random [16]byte
	rand.Read(random[:]) // never returns an error: it ends the process instead
	return messageIDOf(random, sender)
}

// messageIDOf writes a Message-ID. One that was drawn and one that was derived from a key
// look the same.
func messageIDOf(random [16]byte, sender string) string {
	local := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:]))
	domain := domainOf(sender)
	for len(local)+1+len(domain) > maxMessageID {
		_, parent, found := strings.Cut(domain, ".")
		if !found {
			break
		}
		domain = parent
	}
	return local + "@" + domain
}

// maxForeignMessageID is the longest Message-ID that a caller may give, in bytes.
const maxForeignMessageID = 250

// plainMessageID matches one Message-ID without its brackets: RFC 5322, 3.6.4, in ASCII,
// without the obsolete forms with quotes and spaces.
var plainMessageID = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@" +
	"([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|\\[[!-Z^-~]+\\])$")

func isMessageID(id string) bool {
	return len(id) <= maxForeignMessageID && plainMessageID.MatchString(id)
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return strings.ToLower(domain)
}
