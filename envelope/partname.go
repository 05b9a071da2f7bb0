package envelope

import (
	"slices"
	"strings"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// isNamed compares the names of a part without regard to case.
func isNamed(p *multipart.Part, name string) bool {
	return slices.ContainsFunc(p.Names, func(n string) bool { return equalFold(n, name) || equalFold(fileName(n), name) })
}

// fileName gives the name under which some reader would save a part: decoded (RFC 2047),
// up to a NUL, without folders, and without blanks, dots and quotes around it.
func fileName(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return !isNameRune(r) }) {
		return strings.Trim(name, ".")
	}
	name, _, _ = strings.Cut(header.DecodeText(name), "\x00")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return strings.TrimFunc(name, func(r rune) bool { return !isNameRune(r) || r == '.' })
}

// isNameRune reports whether r means nothing in the names of files.
func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_'
}
