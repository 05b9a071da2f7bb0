package envelope

import (
	"bytes"
	"strings"
)

// maxProlog is how far into a document the root element may begin, in bytes. In real
// files an XML declaration stands before it and nothing else.
const maxProlog = 1 << 10

// isCertData reports whether a document is certification data: its root element is
// postacert (RFC 6109, 4.4). The beginning of the document, of maxProlog bytes, decides.
// Nothing else is read as certification data, whatever its name.
func isCertData(document []byte) bool {
	document = document[:min(len(document), maxProlog)]
	if rest, found := bytes.CutPrefix(document, []byte(plainDeclaration)); found {
		rest = bytes.TrimLeft(rest, xmlSpace)
		if bytes.HasPrefix(rest, []byte("<postacert ")) {
			return true
		}
	}
	if start := bytes.TrimLeft(document, xmlSpace+"\xef\xbb\xbf"); len(start) == 0 || start[0] != '<' {
		return false
	}
	text, err := toUTF8(document)
	if err != nil {
		return false
	}
	for {
		text = strings.TrimLeft(text, xmlSpace)
		found := false
		switch {
		case strings.HasPrefix(text, "<?"):
			_, text, found = strings.Cut(text, "?>")
		case strings.HasPrefix(text, "<!--"):
			_, text, found = strings.Cut(text, "-->")
		case strings.HasPrefix(text, "<!"):
			_, text, found = strings.Cut(text, ">")
		}
		if !found {
			break
		}
	}
	name, found := strings.CutPrefix(text, "<")
	end := strings.IndexAny(name, xmlSpace+"/>")
	if !found || end < 0 {
		return false
	}
	name = name[:end]
	return lower(name[strings.LastIndexByte(name, ':')+1:]) == "postacert"
}

// xmlSpace is XML 1.0, 2.3.
const xmlSpace = " \t\r\n"
