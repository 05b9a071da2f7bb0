// Package pectest runs a network of PEC providers inside one process, for
// tests and demonstrations, as net/http/httptest does for web servers.
//
// A [Network] holds one signing CA and, by default, two providers (gestori).
// Each provider is a real server on 127.0.0.1: SMTP submission and IMAP, both
// with implicit TLS. A message handed in by SMTP goes the way of RFC 6109,
// section 3.5: formal checks and acceptance at the access point (punto di
// accesso), a signed transport envelope (busta di trasporto) to the recipients'
// providers, which check its signature, deliver, and send one signed delivery
// or non-delivery notice for each recipient back to the sender's mailbox.
//
// The package shares no code with the parsers and the verifier of this module:
// what it writes is a second, independent reading of the rules, and what it
// receives it checks with another CMS library.
//
// Notices arrive after the SMTP dialogue has ended, as in life. [Network.Idle]
// waits until all that was handed in has been processed.
//
// # Limits
//
// The following do not exist: take-in-charge and virus notices, the notices of
// missing delivery by time (they need a clock), anomaly envelopes, incoming
// ordinary mail. [Provider.Emit] can still build every notice that carries
// certification data, and [Provider.Deliver] puts it into a mailbox. IMAP has
// the delimiter "/" and no MOVE. CMS signing times are the real time, even for
// a [Notice] with another Time.
package pectest
