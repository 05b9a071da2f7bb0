package dossier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
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
	// AllowLegacy accepts certificates from before 2017 (envelope.VerifierOptions).
	// VerifyOptions.AllowLegacy must then be set too.
	AllowLegacy bool
	// CRLs are certificate revocation lists in DER. The signers' certificates are checked
	// against them, and they go into the dossier. If it is empty, revocation is not checked,
	// and the report says so.
	CRLs [][]byte
	// Timestamp returns a timestamp (RFC 3161) of the manifest, whose SHA-256 it gets: a
	// TimeStampToken or a TimeStampResp in DER. Write puts it into the dossier unchanged. Nil
	// means no timestamp.
	Timestamp func(ctx context.Context, manifest [sha256.Size]byte) ([]byte, error)
	// Now is the clock. Signatures made in its future are refused. Nil means time.Now.
	Now func() time.Time
}

// Write writes the dossier of the message that s is about, and returns its report. Except
// for the timestamp, the same evidence and anchors give the same bytes, in whatever order
// the evidence was recorded and whenever Write is called. Messages that are not proven under
// the anchors go into a folder of their own, and do not change the state of a recipient.
// Without anchors the error is envelope.ErrNoAnchors. Nil opts is the zero value.
//
// The memory it uses does not grow with the size of the messages: each is read at least
// twice from its source. After an error, what was written to w is not a dossier.
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
		// Go on with the facts as facts.json has them: Verify has nothing else.
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
			return nil, errors.New("dossier: timestamp: the token does not contain the SHA-256 of the manifest")
		}
		items = insert(items, newItem(timestampFile, e.token))
	}
	if err := writeArchive(ctx, w, items); err != nil {
		return nil, err
	}
	return report, nil
}

// items returns all files of the dossier except the timestamp, sorted by name.
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

// revocationFile returns the name of the file with a revocation list.
func revocationFile(crl []byte) string {
	return revocationFolder + envelope.Digest(sha256.Sum256(crl)).String() + ".crl"
}

// insert adds an item to items that are sorted by name.
func insert(items []item, it item) []item {
	at, _ := slices.BinarySearchFunc(items, it.name, func(x item, name string) int { return strings.Compare(x.name, name) })
	return slices.Insert(items, at, it)
}

// stamps reports whether a token contains a digest as an OCTET STRING, as its
// messageImprint does (RFC 3161, 2.4.2).
func stamps(token []byte, digest [sha256.Size]byte) bool {
	return bytes.Contains(token, append([]byte{0x04, sha256.Size}, digest[:]...))
}
