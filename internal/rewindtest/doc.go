// Package rewindtest contains only tests. They put a Store back to every earlier point in
// the life of a send, as restoring a backup does, mark it as restored and go on. However
// much the Store has lost, no message leaves twice.
package rewindtest
