package dossier

import (
	"bytes"
	"io"
)

// comparer compares a file with the bytes that are written to it.
type comparer struct {
	file    io.ReaderAt
	size    int64 // of file
	at      int64 // how many bytes were compared
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

// same reports whether the file is exactly what was written.
func (c *comparer) same() bool { return !c.differs && c.at == c.size }
