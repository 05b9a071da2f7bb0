package pec

import "time"

// RankForTest returns the rank of a state.
func RankForTest(s State) int { return s.rank() }

// NewEntryForTest returns the entry of a fact, recorded at the zero time.
func NewEntryForTest(send string, f Fact) (Entry, error) { return newEntry(send, f, time.Time{}, nil) }

// FactOfForTest returns the fact of an entry.
func FactOfForTest(e Entry) (Fact, error) { return factOf(e) }

// KindsForTest returns how many kinds of facts are stored.
func KindsForTest() int { return len(kinds) }
