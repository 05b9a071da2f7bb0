package pec

// isUnsure reports whether the send may have left before the Store was restored, and has
// not been searched for since.
func (f *folding) isUnsure() bool {
	return f.intent.Restoration < f.restored && f.untraced() == nil && f.isUnsent()
}

// heldBack reports whether the send is not offered because the Store was restored.
func (f *folding) heldBack() bool {
	if f.hasTrace() {
		return f.isUnsent()
	}
	// A send that was given up since, and not searched for, may still have left before.
	given := f.untraced() == nil && f.abandonedAfter > 0 && f.abandonedAfter == f.restored && !f.certified()
	return f.isUnsure() || given
}

// untraced returns the result of the search after the last Restoration; nil without one.
func (f *folding) untraced() *Untraced {
	if u, ok := f.searches[f.restored]; ok {
		return &u
	}
	return nil
}

// hasTrace reports whether that search found something that keeps the send from being
// offered (Untraced.Trace).
func (f *folding) hasTrace() bool {
	u := f.untraced()
	return u != nil && u.Trace != ""
}
