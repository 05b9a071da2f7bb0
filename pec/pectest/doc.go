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
// # Trouble on demand
//
// What becomes of a message is a [Fate] of the recipient: chosen by
// [Network.SetFate], or by a reserved local part ([ReservedFates]), so that a
// program in any language can ask for it: unknown@, full@, virus@, late@ and so
// on. [Network.Route] decides notice by notice how often and when it arrives.
// [Network.Advance] moves the clock by hours, for what RFC 6109 makes depend on
// time. [Network.Intercept] makes connections fail, command by command. A [Style]
// writes notices as other providers do, or wrong. [Network.Receive] brings mail from outside, which arrives in anomaly
// envelopes. [Provider.Emit] builds any notice, true or false, and
// [Provider.Deliver] puts any bytes into a mailbox.
//
// # Time
//
// All of a network, signatures included, is dated by its own clock, which begins
// at Options.Start and runs with the machine's. Certificates are valid from one
// hour before Start. A verifier must be given [Network.Now] after Advance. With
// Options.InMemory a network runs in a bubble of testing/synctest, where hours
// pass by themselves.
//
// # Limits
//
// Faults strike on implicit TLS, not on the port with STARTTLS. IMAP has no
// CONDSTORE and no QRESYNC. Providers hand messages to each other within the
// process, not by SMTP.
package pectest
