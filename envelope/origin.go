package envelope

import "slices"

// checkOrigin requires evidence that the provider wrote the certification data. The
// author of the original message may have guessed the boundary of the signed part. Then
// whatever the provider quotes, the original or a subject in the text, can contain forged
// parts. The first line of the provider's text comes before all that it quotes, so no
// author can forge that. In all known genuine messages it names the kind.
func (s *signedParts) checkOrigin(kind Kind) error {
	if s.title != nil {
		if !s.title.names(kind) {
			return failed(CodeNoCertData, "the certification data are of kind %v, but the title of the text says %v", kind, []Kind(s.title))
		}
		return nil
	}
	// Under an unknown title, the order must be text, data, original, and nothing else.
	// A guessed boundary that breaks off the text leaves one further part: its rest.
	data := s.data[0]
	before := func(original int) bool { return original < data }
	if s.hasFurther() || slices.ContainsFunc(s.originals, before) {
		return failed(CodeNoCertData, "the title of the text is unknown, and the parts are not just text, daticert.xml and original in this order")
	}
	return nil
}

// hasFurther reports whether there is a part besides text, data and original. Known
// providers write none, and a guessed boundary leaves one.
func (s *signedParts) hasFurther() bool {
	for i := range s.all {
		if !(i == 0 && s.hasText || slices.Contains(s.data, i) || slices.Contains(s.originals, i)) {
			return true
		}
	}
	return false
}

// checkAnomaly checks a signed part without certification data. If it can be that of an
// anomaly envelope (RFC 6109, 3.2.2), a text and the message and nothing else, the error
// wraps errNoCertData, and checkCertData decides.
func (s *signedParts) checkAnomaly() error {
	if s.title != nil && !s.title.names(KindAnomaly) {
		return failed(CodeNoCertData, "no daticert.xml, but the title of the text says %v", []Kind(s.title))
	}
	if s.hasFurther() {
		return failed(CodeNoCertData, "no daticert.xml, and parts besides a text and a message")
	}
	if len(s.originals) > 1 {
		return failed(CodeNoCertData, "no daticert.xml, and %d messages", len(s.originals))
	}
	return failed(CodeNoCertData, "%w", errNoCertData)
}
