package receipt

import (
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/multipart"
)

// Detail is how much of the original a delivery receipt carries: RFC 6109,
// 3.3.2.1 to 3.3.2.3.
type Detail string

// The details.
const (
	DetailFull    Detail = "full"    // completa: the whole original
	DetailBrief   Detail = "brief"   // breve: the original with hashes in the place of attachments
	DetailConcise Detail = "concise" // sintetica: no original
)

// tokens are the values of X-TipoRicevuta: RFC 6109, 3.3.2.
var tokens = map[Detail]string{DetailFull: "completa", DetailBrief: "breve", DetailConcise: "sintetica"}

// Token returns the value of X-TipoRicevuta that asks for this detail (RFC 6109, 3.3.2);
// "" for one that is not in the rules.
func (d Detail) Token() string { return tokens[d] }

// DetailOf returns the detail that a value of X-TipoRicevuta asks for. Tokens are matched
// whole; any other text is false.
func DetailOf(token string) (Detail, bool) {
	for d, t := range tokens {
		if t == token {
			return d, true
		}
	}
	return "", false
}

// detail tells what a delivery receipt carries, by its content: the kind that was
// asked for is not always the kind given. Cc recipients get concise receipts, and
// where there is nothing to hash a brief one is full.
func detail(m *envelope.Message) Detail {
	original, err := m.Original()
	if err != nil {
		return DetailConcise
	}
	// A sender may attach a file that looks like a hash: where no brief receipt was
	// asked for, there is none.
	if !strings.EqualFold(m.CertData.Receipt, DetailBrief.Token()) {
		return DetailFull
	}
	top, err := multipart.ReadPart(original)
	if err != nil {
		return DetailBrief // as any message that cannot be seen through
	}
	for p, err := range multipart.Leaves(top) {
		if err != nil || isHash(p) {
			return DetailBrief
		}
	}
	return DetailFull
}
