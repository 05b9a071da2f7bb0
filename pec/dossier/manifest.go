package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// The names of files and folders in a dossier. There is also one file for each message,
// certificate and revocation list.
const (
	factsFile     = "facts.json"
	manifestFile  = "manifest.sha256"
	timestampFile = "timestamp.tsr"
	reportFile    = "report.json"
	timelineFile  = "timeline.json"
	anchorsFile   = "anchors.pem"
	originalFile  = "original.eml"

	noticesFolder    = "notices/"
	unprovenFolder   = "unproven/"
	revocationFolder = "revocation/"
)

// manifest returns the digests of the items in the form that sha256sum -c reads.
func manifest(items []item) []byte {
	var b bytes.Buffer
	for _, it := range items {
		fmt.Fprintf(&b, "%x  %s\n", it.sum, it.name)
	}
	return b.Bytes()
}

// readManifest returns the digests in a manifest, by file name. It skips lines of any other
// form.
func readManifest(b []byte) map[string][sha256.Size]byte {
	sums := map[string][sha256.Size]byte{}
	for line := range strings.Lines(string(b)) {
		digest, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if sum, err := hex.DecodeString(digest); err == nil && len(sum) == sha256.Size {
			sums[name] = [sha256.Size]byte(sum)
		}
	}
	return sums
}
