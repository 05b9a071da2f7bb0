// Package killtest contains only tests. They kill a process that sends and reads, at each of
// its steps and at random moments, and break the database that it uses. Another process
// then takes up the work and finishes it: no message may leave twice, no notice may be lost,
// and a message that may have left must be reported as uncertain.
//
// A worker is this test program, run a second time. It uses the clients of this module over
// real connections, on a Store in SQLite or PostgreSQL. The providers run in the test.
// GOPEC_SCALE sets the number of random runs per database.
package killtest
