package receipt

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
)

// lineEndWriter writes text with one kind of line end, for any it is given: storage
// and transport change them. Those at the very end are held back.
type lineEndWriter struct {
	w       io.Writer
	lineEnd []byte
	pending int  // line ends held back
	cr      bool // a CR is held back, which may belong to a line end
}

func (l *lineEndWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		text, rest, found := bytes.Cut(p, []byte("\n"))
		p = rest
		if l.cr && (len(text) > 0 || !found) {
			if err := l.emit([]byte("\r")); err != nil {
				return 0, err
			}
		}
		text, l.cr = bytes.CutSuffix(text, []byte("\r"))
		if len(text) > 0 {
			if err := l.emit(text); err != nil {
				return 0, err
			}
		}
		if found {
			l.cr = false
			l.pending++
		}
	}
	return n, nil
}

func (l *lineEndWriter) emit(text []byte) error {
	for ; l.pending > 0; l.pending-- {
		if _, err := l.w.Write(l.lineEnd); err != nil {
			return err
		}
	}
	_, err := l.w.Write(text)
	return err
}

// end writes what was held back that is no line end.
func (l *lineEndWriter) end() error {
	if !l.cr {
		return nil
	}
	l.cr = false
	return l.emit([]byte("\r"))
}

// textDigest hashes text with the given line ends, without those at its end.
func textDigest(h hash.Hash, lineEnd string, text io.Reader) error {
	l := &lineEndWriter{w: h, lineEnd: []byte(lineEnd)}
	if _, err := io.Copy(l, text); err != nil {
		return err
	}
	return l.end()
}

// sameText tells whether two texts are the same but for the kind of their line
// ends, and for the number of those at the very end.
func sameText(a, b *io.SectionReader) (bool, error) {
	var sums [2][]byte
	for i, text := range []*io.SectionReader{a, b} {
		h := sha256.New()
		if err := textDigest(h, "\n", io.NewSectionReader(text, 0, text.Size())); err != nil {
			return false, err
		}
		sums[i] = h.Sum(nil)
	}
	return bytes.Equal(sums[0], sums[1]), nil
}
