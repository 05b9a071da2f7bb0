package dossier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
)

// VerifyOptions are the optional settings of Verify.
type VerifyOptions struct {
	// AllowLegacy accepts certificates from before 2017, in a dossier that was written with
	// Options.AllowLegacy. If it is false, their notices are alterations with
	// envelope.CodeLegacy.
	AllowLegacy bool
	// Now is the clock. Signatures made in its future are refused. Nil means time.Now.
	Now func() time.Time
}

// Verify verifies a dossier of size bytes from its own content and the anchors. It trusts
// nothing in the dossier, neither its anchors nor its report. It proves every notice again
// and writes the dossier a second time from what they prove: the two must be equal byte for
// byte. Otherwise it returns no Report and an *Error with ReasonAltered.
//
// A Report does not mean that all is well. Its Unproven lists messages that were not
// proven when the dossier was written either, and Mismatch reports whether other content
// was delivered.
//
// Verify cannot notice that someone removed notices, or changed facts in facts.json, and
// then wrote a new dossier from the rest. A timestamp can show that. Verify checks only
// whether the timestamp is for this manifest: verify its signature yourself, for instance
// with openssl ts -verify.
//
// Without anchors the error is envelope.ErrNoAnchors. Nil opts is the zero value.
func Verify(ctx context.Context, r io.ReaderAt, size int64, anchors []envelope.Anchor, opts *VerifyOptions) (*Report, error) {
	if opts == nil {
		opts = &VerifyOptions{}
	}
	if len(anchors) == 0 {
		return nil, envelope.ErrNoAnchors
	}
	found, err := readArchive(r, size)
	broken := errors.Is(err, errStructure)
	switch {
	case err != nil && !broken:
		return nil, fmt.Errorf("dossier: reading: %w", err)
	case len(found.names) == 0:
		return nil, &Error{Reason: ReasonNoDossier, Err: err}
	}
	unlike, err := found.againstManifest(ctx)
	if err != nil {
		return nil, err
	}
	if broken {
		return nil, altered(nil, append(unlike, Alteration{Kind: AlterationStructure}))
	}
	e, err := found.evidence()
	if err != nil {
		return nil, altered(err, unlike)
	}
	t, err := newTrust(anchors, e.crls, e.facts.AllowLegacy && opts.AllowLegacy, opts.Now)
	if err != nil {
		return nil, altered(err, unlike)
	}
	a, err := assess(ctx, e, t)
	if err != nil {
		return nil, altered(err, merge(unlike, a.failures()))
	}
	report := a.report()
	items, err := a.items(e, report, t)
	if err != nil {
		return nil, err
	}
	if e.token != nil {
		items = insert(items, newItem(timestampFile, e.token))
	}
	same := &comparer{file: r, size: size}
	if err := writeArchive(ctx, same, items); err != nil {
		return nil, err
	}
	changed := found.against(items)
	onlyManifest := len(changed) == 1 && changed[0].File == manifestFile
	if failures := a.failures(); !onlyManifest && len(unlike)+len(failures) > 0 {
		// The other differences follow from these.
		changed = merge(unlike, failures)
	}
	if e.token != nil && !stamps(e.token, found.sums[manifestFile]) {
		changed = merge(changed, []Alteration{{File: timestampFile, Kind: AlterationTimestamp}})
	}
	if len(changed) == 0 && !same.same() {
		changed = []Alteration{{Kind: AlterationStructure}}
	}
	if len(changed) > 0 {
		return nil, altered(nil, changed)
	}
	return report, nil
}

// altered returns the error of a dossier with these alterations, which wraps err. Without
// alterations it returns err.
func altered(err error, changed []Alteration) error {
	if len(changed) == 0 {
		return err
	}
	slices.SortFunc(changed, func(x, y Alteration) int { return strings.Compare(x.File, y.File) })
	return &Error{Reason: ReasonAltered, Alterations: changed, Err: err}
}

// merge adds alterations to changed. A file keeps one alteration: the one in more, where
// both have one.
func merge(changed, more []Alteration) []Alteration {
	place := make(map[string]int, len(changed))
	for i, c := range slices.Backward(changed) {
		place[c.File] = i
	}
	for _, m := range more {
		if i, known := place[m.File]; known {
			changed[i] = m
			continue
		}
		place[m.File] = len(changed)
		changed = append(changed, m)
	}
	return changed
}

// failures returns the files in the folder of notices that are not proven.
func (a *assessment) failures() []Alteration {
	var failures []Alteration
	for name, code := range a.failed {
		if strings.HasPrefix(name, noticesFolder) {
			failures = append(failures, Alteration{File: name, Kind: AlterationUnproven, Code: code})
		}
	}
	return failures
}
