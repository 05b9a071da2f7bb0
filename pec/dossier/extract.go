package dossier

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// errStructure reports a zip that does not have the one form of a dossier.
var errStructure = errors.New("the zip is not one that this package writes")

// archive is a dossier that is being read.
type archive struct {
	names []string // in the order of the zip
	files map[string]*io.SectionReader
	sums  map[string][sha256.Size]byte // set by againstManifest
}

// readArchive finds the files of a dossier by their local headers. At the first header
// that does not have the form of a dossier it stops, and returns the files before it with
// errStructure. It does not read the central directory: Verify compares the whole zip with
// one that it writes itself.
func readArchive(r io.ReaderAt, size int64) (*archive, error) {
	a := &archive{files: map[string]*io.SectionReader{}}
	le := binary.LittleEndian
	var b [localSize]byte
	for offset := int64(0); ; {
		// What ends a zip is longer than a local header: in a whole zip this is never short.
		if err := readAt(r, b[:], offset, size); err != nil {
			return a, err
		}
		if le.Uint32(b[:]) == centralSignature {
			return a, nil
		}
		it := item{size: int64(le.Uint32(b[18:])), crc: le.Uint32(b[14:])}
		name := make([]byte, le.Uint16(b[26:]))
		if len(name) > maxItemName {
			return a, errStructure
		}
		if err := readAt(r, name, offset+localSize, size); err != nil {
			return a, err
		}
		it.name = string(name)
		offset += localSize + int64(len(name))
		if string(it.localHeader()) != string(b[:]) || it.size > size-offset || a.files[it.name] != nil {
			return a, errStructure
		}
		a.names = append(a.names, it.name)
		a.files[it.name] = io.NewSectionReader(r, offset, it.size)
		offset += it.size
	}
}

// readAt reads all of p. Bytes beyond size are errStructure.
func readAt(r io.ReaderAt, p []byte, offset, size int64) error {
	if offset+int64(len(p)) > size {
		return errStructure
	}
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	return err
}

// opener returns an opener for a file of the archive.
func (a *archive) opener(name string) opener {
	f := a.files[name]
	return func(context.Context) (io.ReadCloser, error) {
		return section{io.NewSectionReader(f, 0, f.Size())}, nil
	}
}

// content returns the content of a file; nil when there is no such file. A file larger than
// limit is errStructure.
func (a *archive) content(name string, limit int64) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, nil
	}
	if f.Size() > limit {
		return nil, errStructure
	}
	b := make([]byte, f.Size())
	_, err := io.ReadFull(io.NewSectionReader(f, 0, f.Size()), b)
	return b, err
}
