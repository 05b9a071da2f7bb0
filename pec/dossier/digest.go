package dossier

import (
	"crypto/sha256"
	"hash"
	"hash/crc32"
)

// digester computes the two digests of a file: SHA-256 for the manifest and CRC-32 for the
// zip.
type digester struct {
	sum hash.Hash
	crc hash.Hash32
}

func newDigester() *digester { return &digester{sha256.New(), crc32.NewIEEE()} }

func (d *digester) Write(p []byte) (int, error) {
	d.sum.Write(p)
	return d.crc.Write(p)
}

func (d *digester) sums() (sum [sha256.Size]byte, crc uint32) {
	return [sha256.Size]byte(d.sum.Sum(nil)), d.crc.Sum32()
}
