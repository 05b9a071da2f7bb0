// Package pectest runs a network of PEC providers inside one process, for tests and
// demonstrations, as net/http/httptest does for web servers.
//
//	network := pectest.Start(t, nil) // closed when the test ends
//	account := network.Access("mario@alfa-pec.example")
//	... // send and read with account.SMTP, IMAP, Login, Password, TLS; verify with SigningCA
//	err := network.Idle(ctx) // until all notices have arrived
//
// A [Network] has one signing CA and, by default, two providers (gestori) with two accounts
// each. Each provider is a real server on 127.0.0.1, with SMTP submission and IMAP, both
// with implicit TLS. A message handed in by SMTP takes the way of RFC 6109, 3.5. The access
// point (punto di accesso) makes formal checks, accepts the message and sends a signed
// transport envelope (busta di trasporto) to the recipients' providers. They check its
// signature, deliver it, and send one signed delivery or non-delivery notice for each
// recipient to the sender's mailbox.
//
// The package shares no code with the parsers and the verifier of this module. What it
// writes is a second, independent reading of the rules, and it checks what it receives with
// another CMS library. So it speaks in types of the standard library: a program makes its
// anchor from [Network.SigningCA].
//
// Notices arrive after the SMTP dialogue has ended, as at real providers. [Network.Idle]
// waits until everything that was handed in has been processed.
//
// # Trouble on demand
//
//   - A [Fate] is what becomes of a message for one recipient. [Network.SetFate] sets it.
//     Reserved local parts ([ReservedFates]) have one already: unknown@, full@, virus@,
//     late@ and so on, for programs in any language.
//   - [Network.Route] decides for each notice how often and when it arrives.
//   - [Network.Advance] moves the clock by hours, for what depends on time in RFC 6109.
//   - [Network.Intercept] makes connections fail, command by command.
//   - A [Style] writes notices as other providers do, or wrongly.
//   - [Network.Receive] brings mail from outside, which arrives in anomaly envelopes.
//   - [Provider.Emit] builds any notice, true or false, and [Provider.Deliver] puts any
//     bytes into a mailbox.
//
// # Time
//
// A network dates everything, signatures included, by its own clock, which begins at
// Options.Start and runs with the machine's. Certificates are valid from one hour before
// Start. After Advance, use [Network.Now] as the clock of the verifier. With
// Options.InMemory a network runs in a bubble of testing/synctest, where hours pass by
// themselves.
//
// # Limits
//
// Faults strike on implicit TLS, but not on the port with STARTTLS. IMAP has neither
// CONDSTORE nor QRESYNC. Providers hand messages to each other within the process, not by
// SMTP.
package pectest
