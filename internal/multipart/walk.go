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
)

// ErrTooDeep reports multiparts nested beyond MaxDepth.
var ErrTooDeep = errors.New("multipart: nested too deep")

// Walk visits the leaves of an entity in order: its parts that are not multipart.
// An attached message is a leaf. It ends with the first error of visit.
func Walk(entity *io.SectionReader, visit func(Part) error) error {
	return walk(entity, visit, 0)
}

func walk(entity *io.SectionReader, visit func(Part) error, depth int) error {
	if depth > MaxDepth {
		return ErrTooDeep
	}
	p, err := ReadPart(entity)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(p.MediaType, "multipart/") {
		return visit(p)
	}
	children, err := p.Children(MaxParts)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := walk(child, visit, depth+1); err != nil {
			return err
		}
	}
	return nil
}
