package receipt

import (
	"strings"

	"github.com/gopec/gopec/envelope"
)

// Detail is how much of the original a delivery receipt carries: RFC 6109,
// 3.3.2.1 to 3.3.2.3.
type Detail string

// The details.
const (
	Full    Detail = "full"    // completa: the whole original
	Brief   Detail = "brief"   // breve: the original with hashes in the place of attachments
	Concise Detail = "concise" // sintetica: no original
)

// detail tells what a delivery receipt carries. The kind that was asked for is
// not always the kind given: Cc recipients get concise receipts.
func detail(m *envelope.Message) Detail {
	if _, err := m.Original(); err != nil {
		return Concise
	}
	if strings.EqualFold(m.CertData.Receipt, "breve") {
		return Brief
	}
	return Full
}
