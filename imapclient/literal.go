package imapclient

import "math"

// brace says how much of "{size}" CRLF, the beginning of a literal, has come.
type brace byte

const (
	braceNone brace = iota
	braceOpen
	braceClosed
)

// opened begins the literal that the line ends with. It returns false if there is none.
func (s *sieve) opened() bool {
	if s.size < 0 {
		return false
	}
	s.literal, s.size = s.size, -1
	return true
}

// drop takes an octet of a dropped response. It looks for the end of the response, and
// for literals, which can only begin at the end of a line.
func (s *sieve) drop(b byte) error {
	switch {
	case b == '{':
		s.brace, s.size, s.digits = braceOpen, 0, false
	case s.brace == braceOpen && b >= '0' && b <= '9':
		s.digits = true
		return s.count(b)
	case s.brace == braceOpen && b == '}' && s.digits:
		s.brace = braceClosed
	case b == '\n':
		if s.brace != braceClosed {
			s.size = -1
		}
		if s.brace = braceNone; !s.opened() {
			s.kind = kindUnknown
		}
	case b != '\r':
		s.brace = braceNone
	}
	return nil
}

// count takes a digit of the size of a literal.
func (s *sieve) count(b byte) error {
	if s.size > (math.MaxInt64-9)/10 {
		return errStrange
	}
	s.size = s.size*10 + int64(b-'0')
	return nil
}

// braced takes an octet of "{size}" CRLF. digits says that the size has a digit, and
// after the brace that the CR has come.
func (s *sieve) braced(b byte) error {
	switch {
	case s.brace == braceOpen && b >= '0' && b <= '9':
		s.digits = true
		return s.count(b)
	case s.brace == braceOpen && b == '}' && s.digits:
		s.brace, s.digits = braceClosed, false
	case s.brace == braceClosed && b == '\r' && !s.digits:
		s.digits = true // a second CR is refused
	case s.brace == braceClosed && b == '\n':
		s.brace, s.digits = braceNone, false
	default:
		return errStrange
	}
	return nil
}
