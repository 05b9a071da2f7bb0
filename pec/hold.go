package pec

// isUnsure tells whether the send may have left before the Store was restored, and
// nobody has searched for it since.
func (f *folding) isUnsure() bool {
	return f.intent.Restoration < f.restored && f.untraced() == nil && f.isUnsent()
}

// heldBack tells whether the send is not offered since the Store was restored.
func (f *folding) heldBack() bool {
	if f.hasTrace() {
		return f.isUnsent()
	}
	// One that was given up meanwhile may have left before all the same.
	given := f.untraced() == nil && f.abandonedAfter > 0 && f.abandonedAfter == f.restored && !f.certified()
	return f.isUnsure() || given
}

// untraced is what the search after the last Restoration came to; nil without one.
func (f *folding) untraced() *Untraced {
	if u, ok := f.searches[f.restored]; ok {
		return &u
	}
	return nil
}

// hasTrace reports whether that search found what may have taken the place of the send.
func (f *folding) hasTrace() bool {
	u := f.untraced()
	return u != nil && u.Trace != ""
}
