// Package pec sends Italian certified e-mail (PEC, posta elettronica certificata)
// and tells, for each recipient, what became of it.
//
//	client, err := pec.New("me@pec.example", submitter, mailbox, verifier, nil)
//	...
//	id, err := client.Send(ctx, pec.Message{
//		To:      []string{"you@pec.example"},
//		Subject: "Diffida",
//		Text:    "...",
//	})
//	...
//	for event, err := range client.Sync(ctx) { ... } // reads what arrived
//	status, err := client.Status(ctx, id)
//
// A PEC is a legal act: Send hands each message over at most once, and never
// repeats what may have left. What is known of a send is a set of facts that only
// grows (Fact); its Status is computed from them by Fold, and from nothing else. A
// notice counts only when package envelope proved it and when it speaks of this
// send: our Message-ID, our address as its sender and one of our recipients.
//
// What others send, in transport and anomaly envelopes, NewInbound opens.
// CheckContent compares what a delivery receipt carries with what was sent.
//
// The package speaks no network protocol: Submitter and Mailbox are implemented
// by packages smtpclient and imapclient. Facts are kept in memory, so a Client
// forgets its sends when the process ends.
package pec
