package receipt

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// HashReading is a way to read what the hash in a brief receipt is taken of. RFC
// 6109, 3.3.2.2 says both "the entire content of the part" and "calculated on base64
// encoded parts", and not where the last line ends. A provider reads it in one way:
// where no reading fits all the hashes of a receipt, they are those of something else.
// The set is closed.
//
// HashDecoded proves the files. The others prove the text that they are encoded as,
// and not in which encoding: the hash has taken the place of the field that says so.
type HashReading string

// The readings.
const (
	HashDecoded       HashReading = "decoded"          // the decoded octets
	HashEncoded       HashReading = "encoded-crlf"     // the body as it is encoded, with CRLF, without the last line end
	HashEncodedLine   HashReading = "encoded-crlf-end" // the same, with the last line end
	HashEncodedLF     HashReading = "encoded-lf"       // as HashEncoded, with LF
	HashEncodedLFLine HashReading = "encoded-lf-end"   // the same, with the last line end
)

// isEncapsulated tells whether a message is one CMS object, in which nothing can be
// replaced: a brief receipt is full.
func isEncapsulated(top multipart.Part) bool {
	return top.MediaType == "application/pkcs7-mime" || top.MediaType == "application/x-pkcs7-mime"
}

// isReplaced tells whether a hash stands in the place of a part that the rule has
// replaced: one with a name, or an attached message.
func (c *comparison) isReplaced(sent, delivered node) (bool, error) {
	if !c.brief || len(sent.part.Names) == 0 && sent.part.MediaType != "message/rfc822" {
		return false, nil
	}
	if _, ok := hashIn(delivered.part); !ok || !hashNames(sent.part.Names, delivered.part.Names) {
		return false, nil
	}
	for _, n := range []node{sent, delivered} {
		if plain, err := plainHeader(n.header()); err != nil || !plain {
			return false, err
		}
	}
	return true, nil
}

// hashNames reports whether all names of a hash are made of the names of the part it
// stands for, which may have none.
func hashNames(sent, delivered []string) bool {
	return len(sent) == 0 || !slices.ContainsFunc(delivered, func(name string) bool {
		return !slices.ContainsFunc(sent, func(n string) bool {
			return strings.EqualFold(header.DecodeText(name), header.DecodeText(n)+hashSuffix)
		})
	})
}

// hashSuffix ends the name of what a brief receipt has in the place of an attachment.
const hashSuffix = ".hash"

func isHashName(name string) bool { return strings.HasSuffix(strings.ToLower(name), hashSuffix) }

// isHash reports whether a part looks like the hash of an attachment. hashIn is stricter:
// it says whether the part may stand for one.
func isHash(p multipart.Part) bool {
	if !slices.ContainsFunc(p.Names, isHashName) {
		return false
	}
	_, ok := readSHA1(p)
	return ok
}

// hashIn reads the hash of a brief receipt: a text file of that name, with a SHA-1
// in hexadecimal.
func hashIn(p multipart.Part) (digest [sha1.Size]byte, ok bool) {
	isNoHash := func(name string) bool { return !isHashName(name) }
	if len(p.Names) == 0 || slices.ContainsFunc(p.Names, isNoHash) || p.MediaType != "text/plain" && p.MediaType != "" {
		return digest, false
	}
	return readSHA1(p)
}

// readSHA1 reads a SHA-1 in hexadecimal.
func readSHA1(p multipart.Part) (digest [sha1.Size]byte, ok bool) {
	text, err := p.Content(1<<10, nil)
	if err != nil {
		return digest, false
	}
	sum, err := hex.DecodeString(strings.Trim(string(text), " \t\r\n"))
	if err != nil || len(sum) != sha1.Size {
		return digest, false
	}
	return [sha1.Size]byte(sum), true
}

// compareHash compares an attachment with the hash of it.
func (c *comparison) compareHash(sent, delivered multipart.Part) error {
	name := cmp.Or(sent.Name(), "message/rfc822")
	digest, _ := hashIn(delivered)
	fitting, err := readingsOf(sent, digest)
	if err != nil {
		return err
	}
	if fitting == nil {
		c.differ(name, "SHA-1 %x was delivered, which no reading of the rule gives", digest)
		return nil
	}
	if !c.hashes {
		c.hashes, c.readings = true, fitting
		return nil
	}
	common := slices.DeleteFunc(slices.Clone(c.readings), func(r HashReading) bool { return !slices.Contains(fitting, r) })
	if len(common) == 0 {
		c.differ(name, "SHA-1 %x was delivered, which %q gives, and the hashes before it %q", digest, fitting, c.readings)
		return nil
	}
	c.readings = common
	return nil
}

// reading is the one that fits all hashes: the one that proves least, where they are
// several.
func (c *comparison) reading() HashReading {
	for _, r := range c.readings {
		if r != HashDecoded {
			return r
		}
	}
	if c.hashes {
		return HashDecoded
	}
	return ""
}

// readingsOf gives the readings under which a part has that hash, nil when none.
func readingsOf(p multipart.Part, digest [sha1.Size]byte) ([]HashReading, error) {
	var fitting []HashReading
	try := func(r HashReading, sum []byte) {
		if digest == [sha1.Size]byte(sum) {
			fitting = append(fitting, r)
		}
	}
	h := sha1.New()
	_, err := io.Copy(h, p.Open())
	switch {
	case err == nil:
		try(HashDecoded, h.Sum(nil))
	case !errors.Is(err, multipart.ErrEncoding):
		return nil, err
	}
	for _, r := range []struct {
		lineEnd          string
		without, withEnd HashReading
	}{{"\r\n", HashEncoded, HashEncodedLine}, {"\n", HashEncodedLF, HashEncodedLFLine}} {
		h.Reset()
		if err := textDigest(h, r.lineEnd, io.NewSectionReader(p.Body, 0, p.Body.Size())); err != nil {
			return nil, err
		}
		try(r.without, h.Sum(nil))
		h.Write([]byte(r.lineEnd))
		try(r.withEnd, h.Sum(nil))
	}
	return fitting, nil
}
