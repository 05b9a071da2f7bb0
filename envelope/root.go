package envelope

import (
	"bytes"
	"strings"
)

// maxProlog is how many bytes of a document are read to find its root element. In real
// files, only an XML declaration comes before that.
const maxProlog = 1 << 10

// isCertData reports whether a document is certification data: whether its root element
// is postacert (RFC 6109, 4.4). Only the first maxProlog bytes are examined. Any other
// document is not read as certification data, whatever its file name.
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

// xmlSpace is the white space of XML 1.0, 2.3.
const xmlSpace = " \t\r\n"
