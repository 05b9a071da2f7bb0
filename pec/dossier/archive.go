package dossier

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// The form of the zip (APPNOTE 6.3, 4.3). Files are stored without compression, sorted by
// name, with CRC and sizes in the local header, dated 1980-01-01, without extra fields and
// comments. The same files always give the same bytes, so any change shows. archive/zip
// does not promise that over the years.
const (
	localSignature   = 0x04034b50
	centralSignature = 0x02014b50
	endSignature     = 0x06054b50
	localSize        = 30
	centralSize      = 46
	endSize          = 22

	zipVersion  = 10     // 1.0 is enough for stored files
	zipEpoch    = 0x0021 // 1980-01-01
	maxItems    = math.MaxUint16 - 1
	maxZip      = math.MaxUint32 - 1
	maxItemName = 200
)

// writeArchive writes the items, which must be sorted by name.
func writeArchive(ctx context.Context, w io.Writer, items []item) error {
	offset, directory := int64(0), []byte(nil)
	total := int64(endSize)
	for _, it := range items {
		total += localSize + centralSize + 2*int64(len(it.name)) + it.size
	}
	if len(items) > maxItems || total > maxZip {
		return &Error{Reason: ReasonTooLarge, Err: fmt.Errorf("%d files and %d bytes: the limits of a zip are %d files and %d bytes", len(items), total, maxItems, int64(maxZip))}
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

// common appends the fields that the two headers of a file share.
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

// localHeader returns the header before the content of a file, without its name.
func (it item) localHeader() []byte {
	return it.common(binary.LittleEndian.AppendUint32(nil, localSignature))
}

// centralHeader returns the entry of a file in the central directory, without its name.
func (it item) centralHeader(offset int64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, centralSignature)
	b = it.common(le.AppendUint16(b, zipVersion))
	b = append(b, make([]byte, 10)...) // comment, disk, attributes
	return le.AppendUint32(b, uint32(offset))
}

// endOfArchive returns the end of central directory record.
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
