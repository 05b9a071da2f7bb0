package envelope

import (
	"slices"
	"strings"

	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// isNamed reports whether a part has the given name, ignoring case. A name counts as
// written and in the form of fileName.
func isNamed(p *multipart.Part, name string) bool {
	return slices.ContainsFunc(p.Names, func(n string) bool { return equalFold(n, name) || equalFold(fileName(n), name) })
}

// fileName returns the name under which some mail program would save a part: decoded
// (RFC 2047), cut at a NUL, and without folders, blanks, dots and quotes around it.
func fileName(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return !isNameRune(r) }) {
		return strings.Trim(name, ".")
	}
	name, _, _ = strings.Cut(header.DecodeText(name), "\x00")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return strings.TrimFunc(name, func(r rune) bool { return !isNameRune(r) || r == '.' })
}

// isNameRune reports whether r has no special meaning in file names, except for dots at
// either end.
func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_'
}
