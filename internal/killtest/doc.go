// Package killtest has nothing but tests: they end a process that sends and reads, at
// each of its steps and at any moment, and break the database under it. Whatever
// remains must lead to the end when the work is taken up again: no message leaves
// twice, no notice is lost, and what cannot be known is said to be uncertain.
//
// A worker is this test program run once more. It uses the clients of this module over
// real connections, on a Store in SQLite or PostgreSQL; the providers live in the
// test. GOPEC_SCALE sets how many random kills are made for each database.
package killtest
