// Command generate rewrites the conformance vectors and their anchor. Run it from the module's root:
//
//	go run ./internal/vectors/generate
//
// It builds MIME, CMS and daticert.xml itself and imports none of the packages under test, so that it does not repeat
// their errors. It makes new keys in each run and does not keep them.
//
// The directive allows the RSA key of 512 bits that one scenario needs.
//
//go:debug rsa1024min=0
package main

import (
	"encoding/pem"
	"flag"
	"log"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", filepath.Join("internal", "vectors", "testdata"), "folder to write to")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*dir); err != nil {
		log.Fatal(err)
	}
}

func run(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.vec"))
	if err != nil {
		return err
	}
	s := &suite{authority: newAuthority()}
	for _, topic := range []func(*suite){
		kinds, algorithms, encodings, attributes, signers, weakness, tampering,
		structure, nesting, boundaries, trust, usage, times, legacyLeaves, revocation,
		fromAddress, certDataPlace, certDataContent, certDataRules, markers,
		tolerantMIME, tolerantXML, tolerantHeader, engines, guesses, guessesApart, shadows,
	} {
		topic(s)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if err := s.write(dir); err != nil {
		return err
	}
	anchor := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.der()})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), anchor, 0o644); err != nil {
		return err
	}
	log.Printf("%d vectors", len(s.all))
	return nil
}
