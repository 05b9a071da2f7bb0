package pec

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/gopec/gopec/envelope"
)

// messageID makes the Message-ID of a send. With a key and Options.KeySecret it is 128 bits
// of HMAC-SHA-256 over mailbox and key, so that it can be computed again when the Store has
// lost the send. Recipients see the Message-ID. Without the secret they can neither
// distinguish it from a random one, nor find the key, nor compute another Message-ID.
func (c *Client) messageID(key string) (id string, derived bool) {
	if key == "" || c.options.KeySecret == nil {
		return newMessageID(c.address), false
	}
	mac := hmac.New(sha256.New, c.options.KeySecret)
	// Each value has its length before it, so that no two pairs are written alike.
	mailbox := envelope.NormalizeAddress(c.address)
	fmt.Fprintf(mac, "pec message-id 1\n%d\n%s\n%d\n%s\n", len(mailbox), mailbox, len(key), key)
	return messageIDOf([16]byte(mac.Sum(nil)), c.address), true
}
