package envelope

import (
	"bytes"
	"crypto/x509"
	"sync"
)

// leaf is a provider's signing certificate that an anchor issued, with the results of
// the checks that come out the same for every message. Expiry and revocation are not
// among them.
type leaf struct {
	certificate *x509.Certificate
	anchor      *Anchor
	legacy      string // the result of needsLegacy
}

// maxLeaves is more than all providers together use at any time.
const maxLeaves = 64

// leaves remembers trusted leaves, by their exact bytes. When it is full it forgets
// them all. Only leaves that an anchor issued are kept, so that forged certificates
// cannot fill it. The zero value is ready to use.
type leaves struct {
	mu    sync.RWMutex
	known map[string]*leaf // by the certificate in DER
}

func (l *leaves) find(der []byte) *leaf {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known[string(der)]
}

func (l *leaves) keep(found *leaf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil || len(l.known) == maxLeaves {
		l.known = make(map[string]*leaf)
	}
	l.known[string(found.certificate.Raw)] = found
}

// parse returns the certificate with the given DER, which may be a known one.
func (l *leaves) parse(der []byte) (*x509.Certificate, error) {
	if known := l.find(der); known != nil {
		return known.certificate, nil
	}
	// A parsed certificate refers to its DER. Clone it, so that a kept one does not hold
	// the whole signature in memory.
	return x509.ParseCertificate(bytes.Clone(der))
}
