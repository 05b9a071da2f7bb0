package inbound

import (
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gopec/gopec/internal/mailtext"
)

// deviceName matches the names that Windows reserves for devices, with any extension.
var deviceName = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(\.|$)`)

// safeName makes a file name from a stranger's name for a file. Separators become
// underscores, because "atto 12/2026.pdf" is a name, not a path.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r), r == utf8.RuneError:
			return '_'
		case unicode.In(r, unicode.C, unicode.Zl, unicode.Zp):
			// Control characters, and the invisible ones that make "exe.fdp" read as a PDF.
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	// Leading dots hide a file or lead to a parent folder. Windows drops trailing ones.
	name = strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
	if deviceName.MatchString(name) {
		name = "_" + name
	}
	if len(name) > mailtext.MaxFileName {
		extension := path.Ext(name)
		if len(extension) > 16 {
			extension = ""
		}
		stem := strings.ToValidUTF8(name[:mailtext.MaxFileName-len(extension)], "")
		name = strings.TrimRight(stem, ". ") + extension
	}
	if name == "" {
		return "attachment"
	}
	return name
}
