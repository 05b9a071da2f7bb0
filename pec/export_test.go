package pec

import "time"

// RankForTest is the rank of a state.
func RankForTest(s State) int { return s.rank() }

// NewEntryForTest makes the entry of a fact.
func NewEntryForTest(send string, f Fact) (Entry, error) { return newEntry(send, f, time.Time{}, nil) }

// FactOfForTest reads the fact of an entry.
func FactOfForTest(e Entry) (Fact, error) { return factOf(e) }

// KindsForTest is how many kinds of facts are stored.
func KindsForTest() int { return len(kinds) }
