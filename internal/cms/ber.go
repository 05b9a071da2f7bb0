package cms

// Limits on a CMS object. They are checked before any other code sees its bytes: deep
// nesting overflows the stack of recursive parsers, and recover cannot catch that.
const (
	MaxSize  = 256 << 10 // bytes
	MaxDepth = 64        // levels of nested elements
	MaxNodes = 100_000   // elements
)

const (
	constructedBit  = 0x20
	highTag         = 0x1f
	tagOctetString  = 0x04
	tagEndOfContent = 0x00
)

// node is one BER element. Nodes are kept in the order of their first byte.
type node struct {
	parent      int32 // index of the enclosing node, -1 for the outermost
	start, end  int32 // where the content is
	size        int32 // length of the content in DER
	tag         byte  // identifier octet
	constructed bool
	joined      bool // a constructed OCTET STRING, written as one primitive string
	inString    bool // a segment of such a string: its header is dropped
}

// normalize returns one BER element with the lengths of DER: definite and minimal, and
// with the segments of each OCTET STRING joined (X.690, 8.1.3 and 8.7). It keeps the order
// of elements. wasBER reports whether der differs from in.
func normalize(in []byte) (der []byte, wasBER bool, err error) {
	if len(in) > MaxSize {
		return nil, false, fail(TooLarge, "the signature is longer than 256 KiB")
	}
	if isDER(in) {
		return in, false, nil
	}
	nodes, wasBER, err := scan(in)
	if err != nil {
		return nil, false, err
	}
	if !wasBER {
		return in, false, nil
	}
	// Children come after their parent, so one pass backwards computes every length.
	for i := len(nodes) - 1; i >= 0; i-- {
		n := &nodes[i]
		if !n.constructed {
			n.size = n.end - n.start
		}
		if n.parent >= 0 {
			nodes[n.parent].size += n.encodedSize()
		}
	}
	der = make([]byte, 0, nodes[0].encodedSize())
	for i := range nodes {
		n := &nodes[i]
		if !n.inString {
			tag := n.tag
			if n.joined {
				tag &^= constructedBit
			}
			der = appendLength(append(der, tag), int(n.size))
		}
		if !n.constructed {
			der = append(der, in[n.start:n.end]...)
		}
	}
	return der, true, nil
}

// isDER reports whether scan would find no error and nothing to change, which is usual. It
// allocates no nodes.
func isDER(in []byte) bool {
	var ends [MaxDepth + 1]int // ends of the open elements, after that of all of in
	ends[0] = len(in)
	depth, pos := 0, 0
	for range MaxNodes {
		limit := ends[depth]
		if limit-pos < 2 {
			return false
		}
		tag, start, end := in[pos], pos+2, pos+2+int(in[pos+1])
		if in[pos+1] > 0x7f || end > limit || tag&highTag == highTag || tag&^constructedBit == tagEndOfContent {
			n, indef, minimal, err := readHeader(in[:limit], pos)
			if err != nil || indef || !minimal {
				return false
			}
			start, end = int(n.start), int(n.end)
		}
		pos = end
		if tag&constructedBit != 0 {
			if depth == MaxDepth || tag&^constructedBit == tagOctetString {
				return false
			}
			depth++
			pos, ends[depth] = start, end
		}
		for depth > 0 && pos == ends[depth] {
			depth--
		}
		if depth == 0 {
			return pos == len(in)
		}
	}
	return false
}

func (n *node) encodedSize() int32 {
	if n.inString {
		return n.size
	}
	return int32(1+lengthSize(int(n.size))) + n.size
}

// scan reads one element and everything inside it, without recursion.
func scan(in []byte) (nodes []node, wasBER bool, err error) {
	type open struct {
		node  int32
		limit int // the content ends at or before this offset
		indef bool
	}
	stack := make([]open, 0, MaxDepth)
	pos := 0
	for {
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			if top.indef || pos < top.limit {
				break
			}
			stack = stack[:len(stack)-1]
		}
		if len(stack) == 0 && len(nodes) > 0 {
			break
		}
		limit, parent := len(in), int32(-1)
		if len(stack) > 0 {
			top := stack[len(stack)-1]
			limit, parent = top.limit, top.node
			if top.indef && limit-pos >= 2 && in[pos] == tagEndOfContent && in[pos+1] == 0 {
				pos += 2
				stack = stack[:len(stack)-1]
				continue
			}
		}
		n, indef, minimal, err := readHeader(in[:limit], pos)
		if err != nil {
			return nil, false, err
		}
		n.parent = parent
		wasBER = wasBER || indef || !minimal
		if parent >= 0 && nodes[parent].joined {
			if n.tag&^constructedBit != tagOctetString {
				return nil, false, fail(BadCMS, "a constructed OCTET STRING holds an element that is not an OCTET STRING")
			}
			n.inString = true
		}
		if n.constructed && n.tag&^constructedBit == tagOctetString {
			n.joined, wasBER = true, true
		}
		nodes = append(nodes, n)
		if len(nodes) > MaxNodes {
			return nil, false, fail(TooLarge, "the signature has more than 100,000 elements")
		}
		if !n.constructed {
			pos = int(n.end)
			continue
		}
		if len(stack) == MaxDepth {
			return nil, false, fail(TooLarge, "elements are nested more than 64 deep")
		}
		stack = append(stack, open{int32(len(nodes) - 1), int(n.end), indef})
		pos = int(n.start)
	}
	if pos != len(in) {
		return nil, false, fail(BadCMS, "there are bytes after the end of the object")
	}
	return nodes, wasBER, nil
}

// readHeader reads the identifier and length octets at pos. It reports whether the length
// is indefinite, in which case n ends with in, and whether its encoding is minimal.
func readHeader(in []byte, pos int) (n node, indef, minimal bool, err error) {
	if len(in)-pos < 2 {
		return n, false, false, fail(BadCMS, "truncated")
	}
	n.tag = in[pos]
	n.constructed = n.tag&constructedBit != 0
	if n.tag&^constructedBit == tagEndOfContent {
		return n, false, false, fail(BadCMS, "end-of-contents in the wrong place")
	}
	if n.tag&highTag == highTag {
		return n, false, false, fail(BadCMS, "tag number above 30") // CMS and X.509 have none
	}
	pos++
	first := in[pos]
	pos++
	length, octets := int(first), 0
	switch {
	case first == 0x80:
		if !n.constructed {
			return n, false, false, fail(BadCMS, "primitive element of indefinite length")
		}
		n.start, n.end = int32(pos), int32(len(in))
		return n, true, false, nil
	case first > 0x80:
		octets = int(first & 0x7f)
		if octets > 4 {
			return n, false, false, fail(BadCMS, "length of more than four octets")
		}
		if len(in)-pos < octets {
			return n, false, false, fail(BadCMS, "truncated")
		}
		length = 0
		for _, b := range in[pos : pos+octets] {
			length = length<<8 | int(b)
		}
		pos += octets
	}
	if length > len(in)-pos {
		return n, false, false, fail(BadCMS, "truncated")
	}
	n.start, n.end = int32(pos), int32(pos+length)
	return n, false, 1+octets == lengthSize(length), nil
}

// lengthSize returns how many octets the length n takes in DER.
func lengthSize(n int) int {
	size := 1
	if n > 0x7f {
		for ; n > 0; n >>= 8 {
			size++
		}
	}
	return size
}

// appendLength appends the length n in DER.
func appendLength(b []byte, n int) []byte {
	size := lengthSize(n)
	if size == 1 {
		return append(b, byte(n))
	}
	b = append(b, 0x80|byte(size-1))
	for shift := (size - 2) * 8; shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}
