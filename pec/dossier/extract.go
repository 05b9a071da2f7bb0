package dossier

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// errStructure reports a zip that is not in the one form there is.
var errStructure = errors.New("not in the form of a dossier")

// archive is a dossier that is read.
type archive struct {
	names []string // in the order of the zip
	files map[string]*io.SectionReader
	sums  map[string][sha256.Size]byte // by againstManifest
}

// readArchive finds the files of a dossier by the headers in front of them. It stops
// at what is not in form, and gives what it found until there, with errStructure. The
// rest of the zip is not looked at: it is compared with one that is written anew.
func readArchive(r io.ReaderAt, size int64) (*archive, error) {
	a := &archive{files: map[string]*io.SectionReader{}}
	le := binary.LittleEndian
	var b [localSize]byte
	for offset := int64(0); ; {
		// A zip ends with more than the size of a header.
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

// opener opens a file of the archive.
func (a *archive) opener(name string) opener {
	f := a.files[name]
	return func(context.Context) (io.ReadCloser, error) {
		return section{io.NewSectionReader(f, 0, f.Size())}, nil
	}
}

// content reads a small file; nil when it is not there. One beyond limit is errStructure.
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
