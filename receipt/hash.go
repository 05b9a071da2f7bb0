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

// HashReading is a reading of the rule on the hashes of a brief receipt: what the hash is
// computed over. RFC 6109, 3.3.2.2 says both "the entire content of the part" and
// "calculated on base64 encoded parts", and does not say whether the last line end
// counts. Each provider uses one reading. If no single reading fits all hashes of a
// receipt, the content is a mismatch. The set is closed.
//
// HashDecoded proves the files. The other readings prove only the encoded text of a file,
// and not its encoding: the hash replaces the Content-Transfer-Encoding field too.
type HashReading string

// The readings.
const (
	HashDecoded       HashReading = "decoded"          // the decoded bytes
	HashEncoded       HashReading = "encoded-crlf"     // the encoded body with CRLF line ends, without the last line end
	HashEncodedLine   HashReading = "encoded-crlf-end" // as HashEncoded, with the last line end
	HashEncodedLF     HashReading = "encoded-lf"       // the encoded body with LF line ends, without the last line end
	HashEncodedLFLine HashReading = "encoded-lf-end"   // as HashEncodedLF, with the last line end
)

// isEncapsulated reports whether a message is one CMS object. Nothing in it can be
// replaced by a hash, so a brief receipt carries all of it.
func isEncapsulated(top multipart.Part) bool {
	return top.MediaType == "application/pkcs7-mime" || top.MediaType == "application/x-pkcs7-mime"
}

// isReplaced reports whether a part was replaced by its hash. The rule replaces parts
// with a name, and attached messages.
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

// hashNames reports whether each name of a hash is a name of the part it replaces, with
// the suffix. If the part has no name, any name of the hash will do.
func hashNames(sent, delivered []string) bool {
	return len(sent) == 0 || !slices.ContainsFunc(delivered, func(name string) bool {
		return !slices.ContainsFunc(sent, func(n string) bool {
			return strings.EqualFold(header.DecodeText(name), header.DecodeText(n)+hashSuffix)
		})
	})
}

// hashSuffix ends the name of the part that replaces an attachment in a brief receipt.
const hashSuffix = ".hash"

func isHashName(name string) bool { return strings.HasSuffix(strings.ToLower(name), hashSuffix) }

// isHash reports whether a part looks like the hash of an attachment. That is enough to
// recognise a brief receipt. hashIn is stricter: it decides what may replace an attachment.
func isHash(p multipart.Part) bool {
	if !slices.ContainsFunc(p.Names, isHashName) {
		return false
	}
	_, ok := readSHA1(p, strings.TrimSpace)
	return ok
}

// hashIn returns the hash in a part that may replace an attachment: a plain text with
// only such names, that holds a SHA-1 in hexadecimal.
func hashIn(p multipart.Part) (digest [sha1.Size]byte, ok bool) {
	isNoHash := func(name string) bool { return !isHashName(name) }
	if len(p.Names) == 0 || slices.ContainsFunc(p.Names, isNoHash) || p.MediaType != "text/plain" && p.MediaType != "" {
		return digest, false
	}
	return readSHA1(p, func(text string) string { return strings.Trim(text, " \t\r\n") })
}

// readSHA1 returns the SHA-1, in hexadecimal, that is all the content of a part once it is
// trimmed.
func readSHA1(p multipart.Part, trim func(string) string) (digest [sha1.Size]byte, ok bool) {
	text, err := p.Content(1<<10, nil)
	if err != nil {
		return digest, false
	}
	sum, err := hex.DecodeString(trim(string(text)))
	if err != nil || len(sum) != sha1.Size {
		return digest, false
	}
	return [sha1.Size]byte(sum), true
}

// compareHash compares an attachment with the hash that replaces it.
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

// reading returns the reading that fits all hashes; "" without hashes. If several fit, it
// returns one that proves less than HashDecoded.
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

// readingsOf returns the readings under which a part has the given hash, nil if none.
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
