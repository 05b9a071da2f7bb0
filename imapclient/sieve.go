package imapclient

import (
	"bytes"
	"errors"
	"math"
	"strings"
)

const (
	maxLine  = 100     // octets up to the type of a response
	maxWords = 1 << 16 // octets of a response, literals apart, that does not tell of messages
	maxDepth = 4       // parentheses in each other; a FETCH has two, an extended LIST three

	// The library sorts numbers by insertion. This is how many of those before it each
	// number out of order may pass, in all: 20,000 in reverse.
	maxDisorder = 1 << 28
)

// errStrange is why the connection ends at a response that has no place in an answer.
var errStrange = errors.New("a response that makes no sense here")

// sieve lets through to the library what an answer to a command of ours can consist
// of. The library understands more than we ever ask for, and some of it never ends, in
// time or in depth: a parenthesis in a list of capabilities, a code without its
// bracket, nested structures, encoded words in envelopes, numbers in disorder. A
// response of another type is dropped; one of these types with anything else in it is
// an error. Lines, strings and literals are told apart exactly as the library does, or
// refused.
type sieve struct {
	out  []byte // for the library
	head []byte // of a response whose type is not known yet
	kind kind

	literal int64 // octets left of one
	size    int64 // of a literal about to begin, -1 for none
	brace   brace

	octets   int
	depth    int
	quoted   bool
	escaped  bool
	word     []byte // at depth 1 of a FETCH, or the name of a code
	section  bool   // in the brackets of BODY[]
	code     code
	number   uint64
	digits   bool
	numbers  int
	highest  uint64
	disorder int64
}

// kind says how a response is read.
type kind byte

const (
	kindUnknown kind = iota
	kindStatus       // a code in brackets, and text
	kindWords        // no strings, no lists
	kindNumbers      // of messages
	kindFetch
	kindData    // strings and lists
	kindDropped // what we never ask for
	kindGoOn    // +
)

var kinds = map[string]kind{
	"OK": kindStatus, "NO": kindStatus, "BAD": kindStatus, "BYE": kindStatus, "PREAUTH": kindStatus,
	"CAPABILITY": kindWords, "EXISTS": kindWords, "RECENT": kindWords, "EXPUNGE": kindWords,
	"SEARCH": kindNumbers, "ESEARCH": kindNumbers,
	"FETCH": kindFetch,
	"FLAGS": kindData, "LIST": kindData, "QUOTA": kindData, "QUOTAROOT": kindData,
}

// attributes are the words of a FETCH beside numbers.
var attributes = map[string]bool{
	"UID": true, "FLAGS": true, "INTERNALDATE": true, "RFC822.SIZE": true, "MODSEQ": true, "BODY[": true, "NIL": true,
}

// brace is how much of {octets} CRLF has come.
type brace byte

const (
	braceNone brace = iota
	braceOpen
	braceClosed
)

// code is how much of [code] has come.
type code byte

const (
	codeDue code = iota // a space, or the bracket
	codeName
	codeRest
	codeOver
)

// sift takes bytes of the server, and stops after a line with which it gives us the
// word.
func (s *sieve) sift(p []byte) (n int, goOn bool, err error) {
	for n < len(p) {
		if s.literal > 0 {
			size := int(min(s.literal, int64(len(p)-n)))
			if s.kind != kindDropped {
				s.out = append(s.out, p[n:n+size]...)
			}
			s.literal -= int64(size)
			n += size
			continue
		}
		b := p[n]
		n++
		if s.kind == kindUnknown {
			if err := s.begin(b); err != nil {
				return n, false, err
			}
			continue
		}
		goOn := s.kind == kindGoOn && b == '\n'
		if err := s.next(b); err != nil {
			return n, false, err
		}
		if goOn {
			return n, true, nil
		}
	}
	return n, false, nil
}

// begin collects "* 1 TYPE", "tag " or "+", and the octet behind it.
func (s *sieve) begin(b byte) error {
	s.head = append(s.head, b)
	if len(s.head) > maxLine {
		return errStrange
	}
	if s.head[0] == '+' {
		return s.start(kindGoOn)
	}
	if atom(b) || len(s.head) == 1 && b == '*' {
		return nil
	}
	words := bytes.Split(s.head[:len(s.head)-1], []byte(" "))
	last := words[len(words)-1]
	switch {
	case len(last) == 0:
		return errStrange
	case last[0] == '*' && len(words) == 1:
		if b != ' ' {
			return errStrange
		}
		return nil
	case words[0][0] != '*' && len(words) > 1: // RFC 9051, 7.1: a tag is followed by a status
		return s.start(kindStatus)
	case words[0][0] != '*':
		if b != ' ' {
			return errStrange
		}
		return nil
	case len(words) == 2 && b == ' ' && last[0] >= '0' && last[0] <= '9':
		return nil
	}
	kind, known := kinds[string(last)]
	if !known {
		kind, known = kinds[strings.ToUpper(string(last))]
	}
	if !known {
		kind = kindDropped
	}
	return s.start(kind)
}

// start lets the head of a response through.
func (s *sieve) start(k kind) error {
	last := s.head[len(s.head)-1]
	before := s.head[:len(s.head)-1]
	*s = sieve{out: s.out, head: s.head[:0], kind: k, size: -1, word: s.word[:0]}
	if k != kindDropped {
		s.out = append(s.out, before...)
	}
	return s.next(last)
}

// next takes an octet of a response, outside literals.
func (s *sieve) next(b byte) (err error) {
	switch s.kind {
	case kindDropped:
		return s.drop(b)
	case kindGoOn:
	case kindStatus:
		err = s.status(b)
	case kindWords:
		if b == '(' {
			err = errStrange
		}
	default:
		err = s.data(b)
	}
	if s.octets++; s.octets > maxWords && s.kind != kindNumbers && s.kind != kindFetch {
		err = errFlood
	}
	if err != nil {
		return err
	}
	s.out = append(s.out, b)
	if b == '\n' && s.literal == 0 && !s.opened() {
		s.kind = kindUnknown
	}
	return nil
}

// opened begins the literal that a line ended with.
func (s *sieve) opened() bool {
	if s.size < 0 {
		return false
	}
	s.literal, s.size = s.size, -1
	return true
}

// drop looks for the end of a response, and for literals, which only end a line.
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

// count reads the size of a literal.
func (s *sieve) count(b byte) error {
	if s.size > (math.MaxInt64-9)/10 {
		return errStrange
	}
	s.size = s.size*10 + int64(b-'0')
	return nil
}

// status takes an octet of a status. The library looks for the bracket that ends a
// code beyond the end of the line, and never ends reading CAPABILITY at a parenthesis.
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

// named tells the name of a code.
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

// braced takes an octet of {octets} CRLF.
func (s *sieve) braced(b byte) error {
	switch {
	case s.brace == braceOpen && b >= '0' && b <= '9':
		s.digits = true
		return s.count(b)
	case s.brace == braceOpen && b == '}' && s.digits:
		s.brace, s.digits = braceClosed, false
	case s.brace == braceClosed && b == '\r' && !s.digits:
		s.digits = true // one alone
	case s.brace == braceClosed && b == '\n':
		s.brace, s.digits = braceNone, false
	default:
		return errStrange
	}
	return nil
}

// attribute takes an octet of a FETCH. Its words are those that we ask for, numbers,
// and the origin of a part.
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

// order takes an octet of numbers.
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

// atom tells the octets of an atom, and of a tag (RFC 9051, 9).
func atom(b byte) bool {
	return b > ' ' && (b < 0x7f || b > 0x9f) && !strings.ContainsRune(`(){%*"\]`, rune(b))
}
