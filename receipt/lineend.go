package receipt

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
)

// lineEndWriter writes text to w with the given line end in place of CRLF and LF, since
// storage and transport change line ends. It holds back line ends until text follows, so
// those at the very end are never written.
type lineEndWriter struct {
	w       io.Writer
	lineEnd []byte
	pending int  // how many line ends are held back
	cr      bool // a CR is held back: it may belong to a line end
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

// end writes a CR that was held back and turned out not to belong to a line end.
func (l *lineEndWriter) end() error {
	if !l.cr {
		return nil
	}
	l.cr = false
	return l.emit([]byte("\r"))
}

// textDigest hashes a text with the given line end, without the line ends at its end.
func textDigest(h hash.Hash, lineEnd string, text io.Reader) error {
	l := &lineEndWriter{w: h, lineEnd: []byte(lineEnd)}
	if _, err := io.Copy(l, text); err != nil {
		return err
	}
	return l.end()
}

// sameText reports whether two texts are the same. The kind of line ends, and their
// number at the very end, may differ.
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
