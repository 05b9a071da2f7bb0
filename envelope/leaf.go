package envelope

import (
	"bytes"
	"crypto/x509"
	"sync"
)

// leaf is a certificate that an anchor issued and that is a provider's signing
// certificate, with what will be the same at every message it signs. What the time
// or a revocation source decides is not kept.
type leaf struct {
	certificate *x509.Certificate
	anchor      *Anchor
	legacy      string // what needsLegacy says of it
}

// maxLeaves is more than all providers use at a time.
const maxLeaves = 64

// leaves remembers the last leaves that were trusted, by their exact bytes. What no
// anchor issued is not kept: nobody else can fill it. The zero value is ready.
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

// parse reads a certificate that may be known.
func (l *leaves) parse(der []byte) (*x509.Certificate, error) {
	if known := l.find(der); known != nil {
		return known.certificate, nil
	}
	// A certificate is read in place: what is kept must not hold the whole signature.
	return x509.ParseCertificate(bytes.Clone(der))
}
