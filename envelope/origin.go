package envelope

import "slices"

// checkOrigin asks for evidence that the provider put the certification data where they
// stand. An author may have guessed the boundary of the signed part, and so written
// parts of it into what the provider quotes: the original message, or a subject in the
// text. What stands in front of that is the provider's: the first line of its text names
// the kind, in all genuine messages that are known.
func (s *signedParts) checkOrigin(kind Kind) error {
	if s.title != nil {
		if !s.title.names(kind) {
			return failed(CodeNoCertData, "certification data of kind %v under the title of %v", kind, []Kind(s.title))
		}
		return nil
	}
	// Without a title that is known, the order has to be the plain one: text, data,
	// original. The rest of a text that was broken off by a guess is one part more.
	data := s.data[0]
	before := func(original int) bool { return original < data }
	if s.hasFurther() || slices.ContainsFunc(s.originals, before) {
		return failed(CodeNoCertData, "certification data among parts of others, under an unknown title")
	}
	return nil
}

// hasFurther reports whether there is a part beside text, data and original. The
// providers that are known write none, and who guesses the boundary leaves one over.
func (s *signedParts) hasFurther() bool {
	for i := range s.all {
		if !(i == 0 && s.hasText || slices.Contains(s.data, i) || slices.Contains(s.originals, i)) {
			return true
		}
	}
	return false
}

// checkAnomaly asks whether a message without certification data may be an anomaly
// envelope (RFC 6109, 3.2.2): it holds a text and the message, and nothing else.
func (s *signedParts) checkAnomaly() error {
	if s.title != nil && !s.title.names(KindAnomaly) {
		return failed(CodeNoCertData, "no daticert.xml under the title of %v", []Kind(s.title))
	}
	if s.hasFurther() {
		return failed(CodeNoCertData, "no daticert.xml, and more than a text and a message")
	}
	if len(s.originals) > 1 {
		return failed(CodeNoCertData, "no daticert.xml, and %d messages", len(s.originals))
	}
	return failed(CodeNoCertData, "%w", errNoCertData)
}
