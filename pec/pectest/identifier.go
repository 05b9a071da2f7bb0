package pectest

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
)

// idSource makes the identifiers of a network. They look like those of the engine that most
// providers use. Programs must not parse them: RFC 6109, 2.2.1 requires only that they are
// unique and end in the provider's domain.
type idSource struct {
	process uint32 // stands where engines write the process number
	count   atomic.Uint64
}

func newIDSource() (*idSource, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("pectest: %w", err)
	}
	return &idSource{process: binary.BigEndian.Uint32(b[:])}, nil
}

// certID makes the PEC message ID of a dispatch (identificativo), without angle
// brackets.
func (s *idSource) certID(t time.Time, domain string) string {
	n := s.count.Add(1)
	return fmt.Sprintf("opec2106.%s.%05d.%d.%d.1@%s", t.Format("20060102150405"), s.process%100000, s.process/100000, n, domain)
}

// noticeID makes the Message-ID of a notice, without angle brackets. It has one number more
// than the identifier of a dispatch, so the two are never equal.
func (s *idSource) noticeID(t time.Time, domain string) string {
	n := s.count.Add(1)
	return fmt.Sprintf("opec2106.%s.%05d.%d.%d.1.1@%s", t.Format("20060102150405"), s.process%100000, s.process/100000, n, domain)
}

// boundary makes a random MIME boundary, which no content contains by chance.
func boundary() string { return "----------=_" + rand.Text() }

// queueID makes the queue identifier in the reply to DATA.
func queueID() string { return rand.Text()[:11] }
