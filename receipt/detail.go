package receipt

import (
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/multipart"
)

// Detail is how much of the original message a delivery receipt carries: RFC 6109,
// 3.3.2.1 to 3.3.2.3. The set is closed.
type Detail string

// The details, with the Italian name of each.
const (
	DetailFull    Detail = "full"    // completa: the whole original
	DetailBrief   Detail = "brief"   // breve: the original with hashes in place of its attachments
	DetailConcise Detail = "concise" // sintetica: no original
)

// tokens are the values of X-TipoRicevuta: RFC 6109, 3.3.2.
var tokens = map[Detail]string{DetailFull: "completa", DetailBrief: "breve", DetailConcise: "sintetica"}

// Token returns the value of X-TipoRicevuta that asks for this detail (RFC 6109, 3.3.2);
// "" for a Detail that is not one of the constants.
func (d Detail) Token() string { return tokens[d] }

// DetailOf returns the detail that a value of X-TipoRicevuta asks for. It accepts the
// tokens of the rules in lower case, and reports false for any other text.
func DetailOf(token string) (Detail, bool) {
	for d, t := range tokens {
		if t == token {
			return d, true
		}
	}
	return "", false
}

// detail returns what a delivery receipt carries, judged by its content. It may be another
// detail than the sender asked for: receipts for Cc recipients are concise, and a brief
// receipt without attachments to hash is full.
func detail(m *envelope.Message) Detail {
	original, err := m.Original()
	if err != nil {
		return DetailConcise
	}
	// A sender may attach a file that looks like a hash. Unless a brief receipt was asked
	// for, the receipt is not brief.
	if !strings.EqualFold(m.CertData.Receipt, DetailBrief.Token()) {
		return DetailFull
	}
	top, err := multipart.ReadPart(original)
	if err != nil {
		return DetailBrief // as for any message that cannot be read to its end
	}
	for p, err := range multipart.Leaves(top) {
		if err != nil || isHash(p) {
			return DetailBrief
		}
	}
	return DetailFull
}
