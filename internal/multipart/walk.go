package multipart

import (
	"errors"
	"io"
	"strings"
)

// Limits on a message whose parts are walked through.
const (
	MaxDepth = 32
	MaxParts = 1000 // of one multipart
	// maxRescan bounds the work: each level is scanned for its own delimiters, so
	// that nesting costs its depth times its size. In real mail what is large is no
	// multipart.
	maxRescan = 4
)

// ErrTooDeep reports multiparts nested beyond MaxDepth, or too much inside them.
var ErrTooDeep = errors.New("multipart: nested too deep")

// Walk visits the leaves of an entity in order: its parts that are not multipart.
// An attached message is a leaf. It ends with the first error of visit.
func Walk(entity *io.SectionReader, visit func(Part) error) error {
	w := walker{visit: visit, budget: maxRescan * entity.Size()}
	return w.walk(entity, 0)
}

type walker struct {
	visit  func(Part) error
	budget int64 // bytes that may still be scanned
}

func (w *walker) walk(entity *io.SectionReader, depth int) error {
	p, err := ReadPart(entity)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(p.MediaType, "multipart/") {
		return w.visit(p)
	}
	w.budget -= p.Body.Size()
	if depth == MaxDepth || w.budget < 0 {
		return ErrTooDeep
	}
	children, _, err := p.Split(MaxParts)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := w.walk(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}
