package multipart

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Limits on a message that Leaves walks through.
const (
	MaxDepth = 32   // levels of nested multiparts
	MaxParts = 1000 // parts of all multiparts together
	// Each level is scanned for its own delimiters, so deep nesting would cost depth times
	// size. At most maxRescan times the size of the message, and at least minScan bytes,
	// are scanned. Deep multiparts in real mail are small.
	maxRescan = 4
	minScan   = 1 << 20
)

var (
	// ErrTooDeep reports multiparts nested deeper than MaxDepth, or too large for their
	// depth.
	ErrTooDeep = errors.New("multipart: nested more than 32 deep, or too large for its depth")
	// ErrNoParts reports a multipart in which no part was found.
	ErrNoParts = errors.New("multipart: no parts")
)

// Leaves yields the leaves of an entity in order: its parts that are not multiparts. An
// attached message is a leaf. A multipart that cannot be split, or would lead to more than
// MaxParts parts, is yielded whole in place of its leaves, with the error that says why;
// the iteration then continues after it. A failure to read ends the iteration.
func Leaves(p Part) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		w := walker{yield: yield, parts: MaxParts, bytes: max(minScan, maxRescan*p.Body.Size())}
		w.walk(p, 0)
	}
}

type walker struct {
	yield func(Part, error) bool
	parts int   // how many more parts may be split off
	bytes int64 // how many more bytes may be scanned
}

// walk yields the leaves of p. It reports whether the iteration goes on.
func (w *walker) walk(p Part, depth int) bool {
	if !strings.HasPrefix(p.MediaType, "multipart/") {
		return w.yield(p, cmp.Or(p.paramsErr, p.dispositionErr))
	}
	children, err := w.split(p, depth)
	if err != nil {
		return w.yield(p, err) && IsMalformed(err)
	}
	for _, section := range children {
		child, err := ReadPart(section)
		if err != nil {
			whole := Part{Body: io.NewSectionReader(section, 0, section.Size())}
			if !w.yield(whole, err) || !IsMalformed(err) {
				return false
			}
			continue
		}
		if !w.walk(child, depth+1) {
			return false
		}
	}
	return true
}

func (w *walker) split(p Part, depth int) ([]*io.SectionReader, error) {
	if depth == MaxDepth || p.Body.Size() > w.bytes {
		return nil, ErrTooDeep
	}
	w.bytes -= p.Body.Size()
	children, err := p.Split(w.parts)
	if errors.Is(err, ErrTooManyParts) {
		return nil, fmt.Errorf("%w: more than %d in the whole message", ErrTooManyParts, MaxParts)
	}
	if err != nil {
		return nil, err
	}
	if len(children) == 0 {
		return nil, ErrNoParts
	}
	w.parts -= len(children)
	return children, nil
}
