package imapclient

import (
	"math"
	"strings"
)

// code says how much of the code in brackets of a status has come.
type code byte

const (
	codeDue code = iota // a space or the opening bracket comes next
	codeName
	codeRest
	codeOver
)

// attributes are the words that a FETCH may hold, besides numbers.
var attributes = map[string]bool{
	"UID": true, "FLAGS": true, "INTERNALDATE": true, "RFC822.SIZE": true, "MODSEQ": true, "BODY[": true, "NIL": true,
}

// status takes an octet of a status. The library looks for the bracket that ends a code
// even after the end of the line. At a parenthesis in CAPABILITY it reads for ever.
func (s *sieve) status(b byte) error {
	switch s.code {
	case codeDue:
		if b == '[' {
			s.code = codeName
		} else if b != ' ' {
			s.code = codeOver
		}
	case codeName, codeRest:
		switch {
		case b == '\r' || b == '\n', s.named("COPYUID"):
			return errStrange
		case b == ']':
			s.code = codeOver
		case b == '(':
			if s.depth++; s.named("CAPABILITY") || s.depth > maxDepth {
				return errStrange
			}
			s.code = codeRest
		case b == ')':
			s.depth--
		case b == ' ':
			s.code = codeRest
		case s.code == codeName:
			if s.word = append(s.word, b); len(s.word) > maxLine {
				return errStrange
			}
		}
	}
	return nil
}

// named reports whether the code has this name.
func (s *sieve) named(name string) bool { return strings.EqualFold(string(s.word), name) }

// data takes an octet of a response with strings and lists.
func (s *sieve) data(b byte) error {
	switch {
	case s.quoted:
		switch {
		case b == '\r' || b == '\n':
			return errStrange
		case s.escaped:
			s.escaped = false
		case b == '\\':
			s.escaped = true
		case b == '"':
			s.quoted = false
		}
		return nil
	case s.brace != braceNone:
		return s.braced(b)
	}
	if s.kind == kindFetch {
		if err := s.attribute(b); err != nil {
			return err
		}
	}
	if s.kind == kindNumbers {
		if err := s.order(b); err != nil {
			return err
		}
	}
	switch b {
	case '"':
		s.quoted = true
	case '{':
		s.brace, s.size, s.digits = braceOpen, 0, false
	case '(':
		if s.depth++; s.depth > maxDepth {
			return errStrange
		}
	case ')':
		if s.depth--; s.depth < 0 {
			return errStrange
		}
	case '\n':
		if s.depth > 0 {
			return errStrange
		}
	}
	return nil
}

// attribute takes an octet of a FETCH. Its words may be those that we ask for, numbers,
// and the origin of a partial body, such as <0>.
func (s *sieve) attribute(b byte) error {
	if s.section {
		s.section = b != ']' || s.depth > 1
		return nil
	}
	if s.depth != 1 {
		return nil
	}
	if b != ' ' && b != '(' && b != ')' && b != '\r' && b != '\n' && b != '"' && b != '{' {
		s.word = append(s.word, b)
		if len(s.word) > maxLine {
			return errStrange
		}
		if b != '[' {
			return nil
		}
		s.section = true
	}
	defer func() { s.word = s.word[:0] }()
	if len(s.word) == 0 || attributes[string(s.word)] {
		return nil
	}
	word := strings.ToUpper(string(s.word))
	if !attributes[word] && strings.Trim(word, "0123456789") != "" && !strings.HasPrefix(word, "<") {
		return errStrange
	}
	return nil
}

// order takes an octet of a list of numbers.
func (s *sieve) order(b byte) error {
	if b >= '0' && b <= '9' {
		s.number, s.digits = min(s.number*10+uint64(b-'0'), math.MaxUint32), true
		return nil
	}
	if s.digits {
		if s.number < s.highest {
			s.disorder += int64(s.numbers)
		}
		s.highest = max(s.highest, s.number)
		s.numbers++
	}
	s.number, s.digits = 0, false
	if s.disorder > maxDisorder {
		return errStrange
	}
	return nil
}
