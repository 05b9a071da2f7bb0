// Package rewindtest has nothing but tests: they put a Store back to every earlier point
// in the life of a send, as a backup does, mark it restored and go on. However much the
// Store has forgotten, no message leaves twice.
package rewindtest
