package receipt

import (
	"io"
	"strings"
)

// CompareContents is CheckContent without a receipt. Fuzzing would be slow with one: it
// takes two signatures.
func CompareContents(sent, delivered string, brief bool) (Content, error) {
	var read [2]content
	for i, raw := range []string{sent, delivered} {
		var err error
		if read[i], err = readContent(io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw)))); err != nil {
			return Content{}, err
		}
	}
	return compareContents(read[0], read[1], brief)
}
