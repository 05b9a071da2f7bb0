package pec

import "time"

// NewEntryForTest makes the entry of a fact.
func NewEntryForTest(send string, f Fact) (Entry, error) { return newEntry(send, f, time.Time{}, nil) }
