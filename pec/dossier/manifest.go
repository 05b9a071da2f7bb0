package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// The files of a dossier with fixed names. Of the others there is one for each
// message, certificate and revocation list.
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

// manifest lists the digests of files in the form of sha256sum -c.
func manifest(items []item) []byte {
	var b bytes.Buffer
	for _, it := range items {
		fmt.Fprintf(&b, "%x  %s\n", it.sum, it.name)
	}
	return b.Bytes()
}

// readManifest gives the digests by name; lines that are none are left out.
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
