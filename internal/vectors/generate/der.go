package main

import (
	"encoding/asn1"
	"slices"
	"time"
)

// Tags used by CMS. Only low tag numbers occur.
const (
	tagInteger   = 0x02
	tagOctets    = 0x04
	tagNull      = 0x05
	tagSequence  = 0x30
	tagSet       = 0x31
	tagOctetsBER = 0x24
)

// tlv encodes one element with the shortest definite length.
func tlv(tag byte, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat([]byte{tag}, derLength(len(body)), body)
}

// wrap encodes one constructed element, with an indefinite length when ber is set.
func wrap(ber bool, tag byte, parts ...[]byte) []byte {
	if !ber {
		return tlv(tag, parts...)
	}
	return slices.Concat([]byte{tag, 0x80}, slices.Concat(parts...), []byte{0, 0})
}

// longLength encodes one element with a length in four octets, which DER forbids for small elements.
func longLength(tag byte, body []byte) []byte {
	n := len(body)
	return slices.Concat([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body)
}

// chunked encodes an octet string in pieces of n octets inside a constructed one of indefinite length.
func chunked(value []byte, n int) []byte {
	var pieces [][]byte
	for piece := range slices.Chunk(value, n) {
		pieces = append(pieces, tlv(tagOctets, piece))
	}
	return wrap(true, tagOctetsBER, pieces...)
}

// nested returns depth sequences, one inside the other.
func nested(depth int) []byte {
	var out []byte
	for range depth {
		out = tlv(tagSequence, out)
	}
	return out
}

func derLength(n int) []byte {
	switch {
	case n < 0x80:
		return []byte{byte(n)}
	case n < 0x100:
		return []byte{0x81, byte(n)}
	case n < 0x10000:
		return []byte{0x82, byte(n >> 8), byte(n)}
	default:
		return []byte{0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	}
}

func oid(arcs ...int) []byte {
	return must(asn1.Marshal(asn1.ObjectIdentifier(arcs)))
}

func smallInteger(n byte) []byte { return tlv(tagInteger, []byte{n}) }

func null() []byte { return []byte{tagNull, 0} }

func utcTime(t time.Time) []byte {
	return must(asn1.MarshalWithParams(t.UTC(), "utc"))
}

// algorithm encodes an AlgorithmIdentifier.
func algorithm(id []byte, parameters ...[]byte) []byte {
	return tlv(tagSequence, id, slices.Concat(parameters...))
}

// must ends the program: a generator that cannot encode has nothing to report.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
