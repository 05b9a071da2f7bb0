package imapclient

import (
	"bytes"
	"errors"
	"strings"
)

const (
	maxLine  = 100     // octets before the type of a response is known, or of one word
	maxWords = 1 << 16 // octets of a response without its literals, except SEARCH and FETCH
	maxDepth = 4       // nested parentheses; a FETCH has two, an extended LIST three

	// The library sorts numbers by insertion: each number out of order is moved past
	// those before it. This limits the moves in one response, to 20,000 numbers in
	// reverse order.
	maxDisorder = 1 << 28
)

// errStrange ends the connection at a response that no answer to a command of ours has.
var errStrange = errors.New("the server sent a response that makes no sense here")

// sieve passes to the library only what an answer to a command of ours can consist of.
// The library understands more than we ask for. Some of that takes it for ever, or nests
// without limit: a parenthesis in a list of capabilities, a code without its closing
// bracket, nested structures, encoded words in envelopes, numbers out of order. A
// response of a type that we never ask for is dropped. Any other response with something
// unexpected in it is an error. The sieve finds the ends of lines, strings and literals
// exactly where the library does; where it cannot, that is an error.
type sieve struct {
	out  []byte // for the library
	head []byte // the beginning of a response whose type is not known yet
	kind kind

	literal int64 // octets left of a literal
	size    int64 // the size of a literal that is about to begin, -1 for none
	brace   brace

	octets   int    // of the response so far, without literals
	depth    int    // open parentheses
	quoted   bool   // in a quoted string
	escaped  bool   // after a backslash in it
	word     []byte // at depth 1 of a FETCH, or the name of a code
	section  bool   // in the brackets of BODY[]
	code     code
	number   uint64 // the one being read
	digits   bool   // it has a digit; in braces, see braced
	numbers  int    // how many have been read
	highest  uint64 // the highest of them
	disorder int64  // moves so far, see maxDisorder
}

// kind says how a response is read.
type kind byte

const (
	kindUnknown kind = iota
	kindStatus       // a code in brackets, and text
	kindWords        // no strings, no lists
	kindNumbers      // numbers of messages
	kindFetch
	kindData    // strings and lists
	kindDropped // what we never ask for
	kindGoOn    // "+", which asks the client to go on
)

// kinds are the types of responses that we expect.
var kinds = map[string]kind{
	"OK": kindStatus, "NO": kindStatus, "BAD": kindStatus, "BYE": kindStatus, "PREAUTH": kindStatus,
	"CAPABILITY": kindWords, "EXISTS": kindWords, "RECENT": kindWords, "EXPUNGE": kindWords,
	"SEARCH": kindNumbers, "ESEARCH": kindNumbers,
	"FETCH": kindFetch,
	"FLAGS": kindData, "LIST": kindData, "QUOTA": kindData, "QUOTAROOT": kindData,
}

// sift takes n bytes of the server. It stops, with goOn, after a line that asks the
// client to go on.
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

// begin collects "* 1 TYPE", "tag " or "+", and the octet after it.
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

// start passes on the beginning of a response whose kind is now known.
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

// atom reports whether an octet can be part of an atom or a tag (RFC 9051, 9).
func atom(b byte) bool {
	return b > ' ' && (b < 0x7f || b > 0x9f) && !strings.ContainsRune(`(){%*"\]`, rune(b))
}
