package dossier

import (
	"bytes"
	"io"
)

// comparer is written what a file should be, and tells whether it is.
type comparer struct {
	file    io.ReaderAt
	size    int64
	at      int64
	differs bool
	buf     []byte
}

func (c *comparer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && !c.differs {
		chunk := p[:min(len(p), 64<<10)]
		if c.buf == nil {
			c.buf = make([]byte, 64<<10)
		}
		got, err := c.file.ReadAt(c.buf[:len(chunk)], c.at)
		if got < len(chunk) && err != io.EOF {
			return 0, err
		}
		c.differs = !bytes.Equal(chunk, c.buf[:got])
		c.at += int64(len(chunk))
		p = p[len(chunk):]
	}
	return n, nil
}

// same tells whether the file is all that was written and nothing else.
func (c *comparer) same() bool { return !c.differs && c.at == c.size }
