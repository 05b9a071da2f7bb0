package multipart

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/gopec/gopec/internal/header"
)

// Limits on a message whose parts are walked through.
const (
	MaxDepth = 32
	MaxParts = 1000
	// maxRescan and minScan, in bytes, bound the work: each level is scanned for its
	// own delimiters, so that nesting costs its depth times its size. In real mail what
	// is large is no multipart.
	maxRescan = 4
	minScan   = 1 << 20
)

var (
	// ErrTooDeep reports multiparts nested beyond MaxDepth, or too much inside them.
	ErrTooDeep = errors.New("multipart: nested too deep")
	// ErrNoParts reports a multipart in which no part can be found.
	ErrNoParts = errors.New("multipart: no parts")
)

// Leaves yields the leaves of an entity in order: its parts that are not multipart.
// An attached message is a leaf. What cannot be seen through, and what would make
// more than MaxParts, is yielded whole in the place of its leaves, with the error
// that tells why; those after it follow. A failure to read ends the iteration.
func Leaves(p Part) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		w := walker{yield: yield, parts: MaxParts, bytes: max(minScan, maxRescan*p.Body.Size())}
		w.walk(p, 0)
	}
}

type walker struct {
	yield func(Part, error) bool
	parts int   // that may still be split off
	bytes int64 // that may still be scanned
}

// walk is false when the iteration has ended.
func (w *walker) walk(p Part, depth int) bool {
	if !strings.HasPrefix(p.MediaType, "multipart/") {
		return w.yield(p, cmp.Or(p.paramsErr, p.dispositionErr))
	}
	children, err := w.split(p, depth)
	if err != nil {
		return w.yield(p, err) && isMalformed(err)
	}
	for _, section := range children {
		child, err := ReadPart(section)
		if err != nil {
			whole := Part{Body: io.NewSectionReader(section, 0, section.Size())}
			if !w.yield(whole, err) || !isMalformed(err) {
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
	if err != nil {
		return nil, err
	}
	if len(children) == 0 {
		return nil, ErrNoParts
	}
	w.parts -= len(children)
	return children, nil
}

// isMalformed tells what is wrong with the bytes from a failure to read them.
func isMalformed(err error) bool {
	for _, e := range []error{header.ErrTooLarge, header.ErrParams, ErrTooManyParts, ErrTooDeep, ErrNoParts} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
