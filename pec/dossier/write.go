package dossier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Options are the optional settings of Write.
type Options struct {
	// AllowLegacy admits certificates of the time before 2017
	// (envelope.VerifierOptions). Who verifies the dossier has to allow it too.
	AllowLegacy bool
	// CRLs are certificate revocation lists in DER, by which the signers are judged and
	// which go into the dossier. Nil judges nobody: the report says so.
	CRLs [][]byte
	// Timestamp gets a token of RFC 3161 over the SHA-256 of the manifest, which is kept
	// beside it as it is given: a TimeStampToken or a TimeStampResp in DER. Nil asks for
	// none.
	Timestamp func(ctx context.Context, manifest [sha256.Size]byte) ([]byte, error)
	// Now is the clock by which signatures of the future are refused. Nil means time.Now.
	Now func() time.Time
}

// Write writes the dossier of the message that s is about, and tells what is in it.
// The same evidence and anchors give the same bytes, whenever and in whatever order
// it was recorded; a timestamp apart. Evidence that is not proven under the anchors
// is kept apart in it, and moves nothing. Without anchors the error is
// envelope.ErrNoAnchors. Nil opts is the zero value.
//
// Memory does not grow with the messages: each is read twice from its source. After
// an error what was written is no dossier.
func Write(ctx context.Context, w io.Writer, s Source, anchors []envelope.Anchor, opts *Options) (*Report, error) {
	if opts == nil {
		opts = &Options{}
	}
	t, err := newTrust(anchors, opts.CRLs, opts.AllowLegacy, opts.Now)
	if err != nil {
		return nil, err
	}
	e, err := s.evidence(ctx)
	if err != nil {
		return nil, err
	}
	e.crls, e.facts.AllowLegacy = opts.CRLs, opts.AllowLegacy
	if e.chosen {
		// What JSON cannot keep must not decide: who verifies has only the file.
		raw, err := e.facts.encode()
		if err != nil {
			return nil, err
		}
		facts, err := decodeFacts(raw)
		if err != nil {
			return nil, err
		}
		e.facts = *facts
	}
	a, err := assess(ctx, e, t)
	if err != nil {
		return nil, err
	}
	report := a.report()
	items, err := a.items(e, report, t)
	if err != nil {
		return nil, err
	}
	if opts.Timestamp != nil {
		at := slices.IndexFunc(items, func(it item) bool { return it.name == manifestFile })
		if e.token, err = opts.Timestamp(ctx, items[at].sum); err != nil {
			return nil, fmt.Errorf("dossier: timestamp: %w", err)
		}
		if !stamps(e.token, items[at].sum) {
			return nil, fmt.Errorf("dossier: timestamp: the token is not for the manifest")
		}
		items = insert(items, newItem(timestampFile, e.token))
	}
	if err := writeArchive(ctx, w, items); err != nil {
		return nil, err
	}
	return report, nil
}

// items are all files of the dossier, save a timestamp, in the order of their names.
func (a *assessment) items(e *evidence, report *Report, t *trust) ([]item, error) {
	var items []item
	add := func(name string, content []byte) { items = append(items, newItem(name, content)) }
	a.facts.AllowLegacy = e.facts.AllowLegacy
	facts, err := a.facts.encode()
	if err != nil {
		return nil, err
	}
	add(factsFile, facts)
	for name, value := range map[string]any{reportFile: report, timelineFile: report.Timeline} {
		b, err := encodeJSON(value)
		if err != nil {
			return nil, err
		}
		add(name, b)
	}
	for _, language := range []Language{LanguageItalian, LanguageEnglish} {
		page, err := report.page(language)
		if err != nil {
			return nil, err
		}
		add(pageFiles[language], page)
	}
	if a.original != nil {
		items = append(items, *a.original)
	}
	certificates, used := map[string][]byte{}, map[string]bool{}
	for _, m := range a.proofs {
		items = append(items, m.item)
		certificates[m.proof.Certificate], used[m.proof.Anchor] = m.signer.Raw, true
	}
	for _, m := range a.unproven {
		items = append(items, m.item)
	}
	for _, crl := range e.crls {
		certificates[revocationFile(crl)] = crl
	}
	for name, content := range certificates {
		add(name, content)
	}
	if len(used) > 0 {
		var anchors bytes.Buffer
		for _, name := range slices.Sorted(maps.Keys(used)) {
			anchors.Write(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: t.keys[name]}))
		}
		add(anchorsFile, anchors.Bytes())
	}
	slices.SortFunc(items, func(x, y item) int { return strings.Compare(x.name, y.name) })
	return insert(items, newItem(manifestFile, manifest(items))), nil
}

func revocationFile(crl []byte) string {
	return revocationFolder + envelope.Digest(sha256.Sum256(crl)).String() + ".crl"
}

// insert puts a file at its place.
func insert(items []item, it item) []item {
	at, _ := slices.BinarySearchFunc(items, it.name, func(x item, name string) int { return strings.Compare(x.name, name) })
	return slices.Insert(items, at, it)
}

// stamps tells whether a token holds a digest as an OCTET STRING, as messageImprint
// does (RFC 3161, 2.4.2).
func stamps(token []byte, digest [sha256.Size]byte) bool {
	return bytes.Contains(token, append([]byte{0x04, sha256.Size}, digest[:]...))
}
