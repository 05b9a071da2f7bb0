package dossier

import (
	"context"
	"encoding/binary"
	"io"
	"math"
)

// The form of the zip (APPNOTE 6.3, 4.3): every file stored, in the order of the names,
// with its digest and sizes in front of it, dated 1980-01-01, without extra fields
// and comments. There is one way to write a dossier, down to the byte, so that any
// change shows. archive/zip promises no such thing over the years.
const (
	localSignature   = 0x04034b50
	centralSignature = 0x02014b50
	endSignature     = 0x06054b50
	localSize        = 30
	centralSize      = 46
	endSize          = 22

	zipVersion  = 10     // 1.0: what storing needs
	zipEpoch    = 0x0021 // 1980-01-01
	maxItems    = math.MaxUint16 - 1
	maxZip      = math.MaxUint32 - 1
	maxItemName = 200
)

// writeArchive writes the items, which are in the order of their names.
func writeArchive(ctx context.Context, w io.Writer, items []item) error {
	offset, directory := int64(0), []byte(nil)
	total := int64(endSize)
	for _, it := range items {
		total += localSize + centralSize + 2*int64(len(it.name)) + it.size
	}
	if len(items) > maxItems || total > maxZip {
		return &Error{Reason: ReasonTooLarge}
	}
	for _, it := range items {
		local := append(it.localHeader(), it.name...)
		if _, err := w.Write(local); err != nil {
			return err
		}
		if err := it.copyTo(ctx, w); err != nil {
			return err
		}
		directory = append(append(directory, it.centralHeader(offset)...), it.name...)
		offset += int64(len(local)) + it.size
	}
	_, err := w.Write(append(directory, endOfArchive(len(items), len(directory), offset)...))
	return err
}

// common are the fields that a file has in both of its headers.
func (it item) common(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, zipVersion)
	b = le.AppendUint32(b, 0) // flags, and the method: stored
	b = le.AppendUint16(b, 0) // time
	b = le.AppendUint16(b, zipEpoch)
	b = le.AppendUint32(b, it.crc)
	b = le.AppendUint32(b, uint32(it.size))
	b = le.AppendUint32(b, uint32(it.size))
	b = le.AppendUint16(b, uint16(len(it.name)))
	return le.AppendUint16(b, 0) // extra field
}

func (it item) localHeader() []byte {
	return it.common(binary.LittleEndian.AppendUint32(nil, localSignature))
}

func (it item) centralHeader(offset int64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, centralSignature)
	b = it.common(le.AppendUint16(b, zipVersion))
	b = append(b, make([]byte, 10)...) // comment, disk, attributes
	return le.AppendUint32(b, uint32(offset))
}

func endOfArchive(items, size int, offset int64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, endSignature)
	b = le.AppendUint32(b, 0) // disks
	b = le.AppendUint16(b, uint16(items))
	b = le.AppendUint16(b, uint16(items))
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(offset))
	return le.AppendUint16(b, 0) // comment
}
