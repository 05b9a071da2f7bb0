package inbound

import (
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gopec/gopec/internal/mailtext"
)

// deviceName matches the names that Windows keeps for devices, with any extension.
var deviceName = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(\.|$)`)

// safeName makes a file name of what a stranger calls a file. Separators become
// underscores, for "atto 12/2026.pdf" is a name and no path.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r), r == utf8.RuneError:
			return '_'
		case unicode.In(r, unicode.C, unicode.Zl, unicode.Zp):
			// Control characters, and those that turn "exe.fdp" around to look like a PDF.
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	// Dots at the beginning hide a file or lead upwards; those at the end Windows drops.
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
