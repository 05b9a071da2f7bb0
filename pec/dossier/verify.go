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
	// AllowLegacy admits certificates of the time before 2017, in a dossier that was
	// written so. False refuses them: their notices are then alterations with
	// envelope.CodeLegacy.
	AllowLegacy bool
	// Now is the clock by which signatures of the future are refused. Nil means time.Now.
	Now func() time.Time
}

// Verify proves a dossier from its own content and the anchors: nothing in it
// is trusted, its anchors and its report least of all. Every notice is proven again,
// and the dossier is written anew from what they prove: that has to give it byte for
// byte. One that does not is an *Error with ReasonAltered, and no Report.
//
// A Report is what the evidence shows, which need not be good: Unproven lists what
// could not be proven when it was written either, and Mismatch tells of content.
// Nobody can tell what was left out: notices that were taken away, or facts of
// facts.json that were changed, before the whole was written anew. A timestamp can, of
// which it is only looked at whether it is for this manifest: its signature is to be
// verified by itself, for instance with openssl ts -verify. Without anchors the error
// is envelope.ErrNoAnchors. Nil opts is the zero value.
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
		// All else differs because of these.
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

// altered makes the error of a dossier with alterations; without any it is err, which
// then says what is wrong.
func altered(err error, changed []Alteration) error {
	if len(changed) == 0 {
		return err
	}
	slices.SortFunc(changed, func(x, y Alteration) int { return strings.Compare(x.File, y.File) })
	return &Error{Reason: ReasonAltered, Alterations: changed, Err: err}
}

// merge gives one alteration a file: the one that says more.
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

// failures are the notices of a dossier that are no proof.
func (a *assessment) failures() []Alteration {
	var failures []Alteration
	for name, code := range a.failed {
		if strings.HasPrefix(name, noticesFolder) {
			failures = append(failures, Alteration{File: name, Kind: AlterationUnproven, Code: code})
		}
	}
	return failures
}
