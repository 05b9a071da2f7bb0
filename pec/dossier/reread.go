package dossier

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gopec/gopec/internal/spool"
)

// Limits of the files that are read into memory, in bytes.
const (
	maxFacts    = 64 << 20
	maxManifest = 32 << 20
	maxToken    = 1 << 20
	maxLists    = 64 << 20 // of all revocation lists together
)

// againstManifest compares the files with the manifest in the dossier.
func (a *archive) againstManifest(ctx context.Context) ([]Alteration, error) {
	a.sums = map[string][sha256.Size]byte{}
	for _, name := range a.names {
		d := sha256.New()
		if _, err := io.Copy(d, spool.NewReader(ctx, io.NewSectionReader(a.files[name], 0, a.files[name].Size()))); err != nil {
			return nil, fmt.Errorf("dossier: reading: %w", err)
		}
		a.sums[name] = [sha256.Size]byte(d.Sum(nil))
	}
	content, err := a.content(manifestFile, maxManifest)
	switch {
	case errors.Is(err, errStructure): // too large to be a manifest
		return []Alteration{{File: manifestFile, Kind: AlterationDerived}}, nil
	case err != nil:
		return nil, err
	case content == nil:
		return []Alteration{{File: manifestFile, Kind: AlterationMissing}}, nil
	}
	return a.againstSums(readManifest(content)), nil
}

// againstSums compares the files with these digests.
func (a *archive) againstSums(sums map[string][sha256.Size]byte) []Alteration {
	var changed []Alteration
	for _, name := range a.names {
		sum, listed := sums[name]
		switch {
		case name == manifestFile || name == timestampFile:
		case !listed:
			changed = append(changed, Alteration{File: name, Kind: AlterationUnexpected})
		case sum != a.sums[name]:
			changed = append(changed, Alteration{File: name, Kind: AlterationContent})
		}
	}
	for name := range sums {
		if a.files[name] == nil {
			changed = append(changed, Alteration{File: name, Kind: AlterationMissing})
		}
	}
	return changed
}

// against compares the files with those that follow from the evidence.
func (a *archive) against(items []item) []Alteration {
	sums := map[string][sha256.Size]byte{}
	manifest := [sha256.Size]byte{}
	for _, it := range items {
		sums[it.name] = it.sum
		if it.name == manifestFile {
			manifest = it.sum
		}
	}
	changed := a.againstSums(sums)
	for i := range changed {
		if changed[i].Kind == AlterationContent {
			changed[i].Kind = AlterationDerived
		}
	}
	if a.sums[manifestFile] != manifest {
		changed = append(changed, Alteration{File: manifestFile, Kind: AlterationDerived})
	}
	return changed
}

// evidence returns the evidence in a dossier: the files from which all others follow.
func (a *archive) evidence() (*evidence, error) {
	raw, err := a.content(factsFile, maxFacts)
	if err == nil && raw == nil {
		err = errors.New("the zip has no " + factsFile)
	}
	if err != nil {
		return nil, &Error{Reason: ReasonNoDossier, Err: err}
	}
	facts, err := decodeFacts(raw)
	if err != nil {
		return nil, err
	}
	e := &evidence{facts: *facts, chosen: true}
	left := int64(maxLists)
	for _, name := range a.names {
		switch {
		case name == originalFile:
			e.original = a.opener(name)
		case name == timestampFile:
			if e.token, err = a.content(name, maxToken); err != nil {
				return nil, &Error{Reason: ReasonNoDossier, Err: err}
			}
		case strings.HasPrefix(name, noticesFolder), strings.HasPrefix(name, unprovenFolder):
			e.messages = append(e.messages, candidate{name, a.opener(name)})
		case strings.HasPrefix(name, revocationFolder):
			crl, err := a.content(name, left)
			if err == nil {
				_, err = x509.ParseRevocationList(crl)
			}
			if err != nil {
				return nil, &Error{Reason: ReasonNoDossier, Err: err}
			}
			left -= int64(len(crl))
			e.crls = append(e.crls, crl)
		}
	}
	return e, nil
}
