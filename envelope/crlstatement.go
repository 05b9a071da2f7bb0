package envelope

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The extensions of a list and of its entries that are understood: RFC 5280, 5.2 and 5.3.
var (
	oidCRLNumber         = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReasonCode        = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidInvalidityDate    = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidDeltaCRL          = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidAuthorityKeyID    = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// The reasons of a suspension and of its end: RFC 5280, 5.3.1.
const (
	reasonHold   = 6
	reasonRemove = 8
)

// statement is what one list says about a leaf.
type statement struct {
	list       *x509.RevocationList
	unreadable bool      // a critical extension is unknown or malformed: the list must not be used
	partial    bool      // the list may leave out a revoked leaf
	named      bool      // an entry has the leaf's serial number
	since      time.Time // when the leaf was revoked or its key may have been stolen, whichever is earlier; zero when no entry says so
	vague      bool      // the true time may be earlier than since
	hold       bool      // all entries that set since are suspensions
	removed    bool      // an entry ends the suspension
}

// readStatement reads what a list of the leaf's issuer says about the leaf.
func readStatement(list *x509.RevocationList, leaf *x509.Certificate) statement {
	s := statement{list: list, hold: true}
	if !s.readScope() {
		return s // the list is about attribute certificates, whose serial numbers are separate
	}
	leafIssuer := leaf.Issuer.String()
	issuer := leafIssuer
	for i := range list.RevokedCertificateEntries {
		entry := &list.RevokedCertificateEntries[i]
		extensions, ok := readEntry(entry.Extensions)
		s.unreadable = s.unreadable || !ok
		// RFC 5280, 5.3.3: an entry without an issuer has that of the entry before it.
		if extensions.issuer != "" {
			issuer = extensions.issuer
		}
		s.partial = s.partial || issuer != leafIssuer
		if entry.SerialNumber.Cmp(leaf.SerialNumber) != 0 {
			continue
		}
		s.named = true
		if issuer == leafIssuer {
			s.take(entry, extensions)
		}
	}
	return s
}

// take adds what an entry about the leaf says.
func (s *statement) take(entry *x509.RevocationListEntry, extensions entryExtensions) {
	if entry.ReasonCode == reasonRemove {
		s.removed = true
		return
	}
	for _, at := range []time.Time{entry.RevocationTime, extensions.invalid} {
		if !at.IsZero() && (s.since.IsZero() || at.Before(s.since)) {
			s.since = at
		}
	}
	s.vague = s.vague || extensions.vague
	s.hold = s.hold && entry.ReasonCode == reasonHold
}

// lifts reports whether s is a later list that ends the suspension in other. A list
// from after the leaf's expiry ends nothing: expired leaves are removed as well.
func (s *statement) lifts(other *statement, leaf *x509.Certificate) bool {
	return s.removed && s.since.IsZero() && !s.unreadable && other.hold && !other.since.IsZero() &&
		s.list.ThisUpdate.After(other.list.ThisUpdate) && !s.list.ThisUpdate.After(leaf.NotAfter)
}

// answer returns what one list says about a leaf that signed at the given time.
func (s *statement) answer(leaf *x509.Certificate, signedAt time.Time) Revocation {
	switch {
	case s.unreadable && s.named:
		return revocationUnclear
	case s.unreadable:
		return RevocationUnknown
	// RFC 5280, 5.3: a listed leaf is revoked, whatever the scope of the list.
	case !s.since.IsZero() && !s.since.After(signedAt):
		return RevocationRevoked
	case s.vague:
		return revocationUnclear
	case !s.since.IsZero():
		return RevocationLater
	// A list cannot know what happened after it was issued, and it may leave out a
	// certificate that has expired (RFC 5280, 3.3).
	case s.list.ThisUpdate.Before(signedAt), s.list.ThisUpdate.After(leaf.NotAfter), s.partial:
		return RevocationUnknown
	}
	return RevocationGood
}

// readScope reads the extensions of the list itself: RFC 5280, 5.2. It reports whether
// the list is about public key certificates.
func (s *statement) readScope() bool {
	certificates := true
	for _, extension := range s.list.Extensions {
		switch id := extension.Id; {
		case id.Equal(oidDistributionPoint):
			point, ok := readPoint(extension.Value)
			s.unreadable = s.unreadable || !ok
			s.partial = s.partial || point.partial
			certificates = certificates && !point.attributes
		case id.Equal(oidDeltaCRL):
			s.partial = true
		case id.Equal(oidCRLNumber), id.Equal(oidAuthorityKeyID):
		default:
			s.unreadable = s.unreadable || extension.Critical
		}
	}
	s.partial = s.partial || !certificates
	return certificates
}

// distributionPoint is the scope that an issuingDistributionPoint sets for a list.
type distributionPoint struct {
	partial    bool // only CA certificates, only some reasons, or several issuers
	attributes bool // only attribute certificates
}

// readPoint reads issuingDistributionPoint: RFC 5280, 5.2.5.
func readPoint(value []byte) (point distributionPoint, ok bool) {
	input := cryptobyte.String(value)
	var fields cryptobyte.String
	if !input.ReadASN1(&fields, cbasn1.SEQUENCE) || !input.Empty() {
		return point, false
	}
	for !fields.Empty() {
		var content cryptobyte.String
		var tag cbasn1.Tag
		if !fields.ReadAnyASN1(&content, &tag) {
			return point, false
		}
		switch tag {
		case cbasn1.Tag(0).ContextSpecific().Constructed(), // where the list is published
			cbasn1.Tag(1).ContextSpecific(): // onlyContainsUserCerts
		case cbasn1.Tag(2).ContextSpecific(), // onlyContainsCACerts
			cbasn1.Tag(3).ContextSpecific(), // onlySomeReasons
			cbasn1.Tag(4).ContextSpecific(): // indirectCRL
			point.partial = true
		case cbasn1.Tag(5).ContextSpecific(): // onlyContainsAttributeCerts
			if len(content) != 1 {
				return point, false
			}
			point.attributes = content[0] != 0
		default:
			return point, false
		}
	}
	return point, true
}

// entryExtensions is what the extensions of an entry say.
type entryExtensions struct {
	issuer  string    // of the certificate, in the form of pkix.Name.String; "" when absent
	invalid time.Time // the earliest time at which the key may have been stolen; zero when absent
	vague   bool      // that time cannot be read
}

// readEntry reads the extensions of an entry: RFC 5280, 5.3. ok reports whether every
// critical extension is known; if not, the whole list must not be used.
func readEntry(extensions []pkix.Extension) (e entryExtensions, ok bool) {
	ok = true
	for _, extension := range extensions {
		switch id := extension.Id; {
		case id.Equal(oidReasonCode): // crypto/x509 has read it
		case id.Equal(oidInvalidityDate):
			input := cryptobyte.String(extension.Value)
			var at time.Time
			if !input.ReadASN1GeneralizedTime(&at) || !input.Empty() {
				e.vague = true
			} else if e.invalid.IsZero() || at.Before(e.invalid) {
				e.invalid = at
			}
		case id.Equal(oidCertificateIssuer):
			e.issuer = readIssuer(extension.Value)
			ok = ok && e.issuer != ""
		default:
			ok = ok && !extension.Critical
		}
	}
	return e, ok
}

// readIssuer returns the directory name in certificateIssuer (RFC 5280, 5.3.3), "" when
// there is none or more than one.
func readIssuer(value []byte) string {
	input := cryptobyte.String(value)
	var names cryptobyte.String
	if !input.ReadASN1(&names, cbasn1.SEQUENCE) || !input.Empty() {
		return ""
	}
	issuer := ""
	for !names.Empty() {
		var content cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&content, &tag) {
			return ""
		}
		if tag != cbasn1.Tag(4).ContextSpecific().Constructed() {
			continue
		}
		var rdns pkix.RDNSequence
		if rest, err := asn1.Unmarshal(content, &rdns); err != nil || len(rest) > 0 || issuer != "" {
			return ""
		}
		var name pkix.Name
		name.FillFromRDNSequence(&rdns)
		issuer = name.String()
	}
	return issuer
}
