// Package pec sends Italian certified e-mail (PEC, posta elettronica certificata)
// and reports, for each recipient, what became of it.
//
//	conn, err := preset.Connect(login, nil) // a provider.Preset and a pec.Login
//	client, err := conn.NewClient("me@pec.example", &pec.Options{Store: store})
//	id, err := client.Send(ctx, pec.Message{To: []string{"you@pec.example"}, Subject: "Diffida", Key: "case 12"})
//	status, err := client.Follow(ctx, id) // until the send is settled
//	for _, r := range status.Recipients {
//		fmt.Println(r.Address, r.State)
//	}
//
// A PEC is a legal act. Send hands each message over at most once, and never repeats
// one that may have left. What is known of a send is kept in a Store as facts (Fact),
// which are added and never changed. Fold computes the Status from these facts, and
// from nothing else. A notice counts only if package envelope has proven it and if it
// is about this send: it names our Message-ID, our address as its sender and, in the
// kinds about one recipient, one of our recipients.
//
// # Packages
//
// The package speaks no network protocol and no SQL. A Client is put together from
// parts, and package provider does that in one call:
//
//   - provider knows the servers and limits of the providers (gestori), and connects.
//   - smtpclient is the Submitter, over SMTPS; imapclient is the Mailbox, over IMAPS.
//   - envelope proves messages; its Verifier holds the trust anchors.
//   - receipt has a type for each kind of proven notice. Its CheckContent compares what
//     a delivery receipt carries with what was sent.
//   - inbound opens what others send, in transport and anomaly envelopes (Event.Inbound).
//   - sqlstore is a Store in SQLite or PostgreSQL. Without Options.Store the facts are
//     kept in memory, and a Client forgets its sends when the process ends.
//   - pectest runs PEC providers inside a test.
//
// # Words
//
//	acceptance       ricevuta di accettazione             the sender's provider took the message: the legal moment of sending
//	non-acceptance   avviso di non accettazione           the sender's provider did not take it: nobody gets the message
//	take-in-charge   ricevuta di presa in carico          passes between providers
//	delivery         ricevuta di avvenuta consegna        it is in the mailbox of one recipient: the legal moment of delivery
//	non-delivery     avviso di mancata consegna           it is not in that mailbox, and will not be
//	delivery delay   the same, per superamento dei tempi  no news of one recipient for 12 or 24 hours
//	virus detection  avviso di rilevazione virus          passes between providers
//	transport        busta di trasporto                   brings a PEC that somebody sent to us
//	anomaly          busta di anomalia                    brings ordinary mail, or a bounce
//	provider         gestore                              runs PEC mailboxes
//	CertID           identificativo                       the provider's ID of a message; ours is the Message-ID (msgid)
//
// # States
//
// Each recipient is in one state: the highest-ranked state that the facts support. A
// late notice can still change a final state. When there were several attempts, one
// that may have left outweighs one that has not.
//
//	rank  state      final  moved by
//	   0  pending    no     the intent: recorded, and not offered yet
//	   1  retrying   no     an attempt with a temporary outcome: it will be offered again
//	   2  suspended  no     a refused login, until Resume
//	   3  uncertain  no     a claimed attempt that has no outcome, or whose final reply was lost
//	   4  submitted  no     the provider's 250, or ResolveSent
//	   5  refused    yes    a permanent refusal in SMTP, Cancel, ResolveUnsent, or the end of Options.RetryFor
//	   6  rejected   yes    a non-acceptance
//	   7  accepted   no     an acceptance, or a notice that implies one, that lists the address as certified
//	   8  ordinary   yes    the same, but it lists the address as ordinary (esterno): handed over, uncertified
//	   9  bounced    yes    a bounce of an ordinary recipient: uncertified, anybody can write one
//	  10  delayed    no     a delay notice that is not the last
//	  11  expired    yes    the last delay notice: code 5.4.1, or 22 hours or more after acceptance
//	  12  failed     yes    a non-delivery
//	  13  delivered  yes    a delivery
//
// A send has one result: the first of these that applies. It is settled once every
// recipient is in a final state.
//
//	result         when
//	uncertain      some recipient is uncertain
//	open           some recipient is in a state that is not final
//	rejected       every recipient is rejected or refused
//	delivered      every recipient is delivered
//	accepted-only  every recipient is delivered or ordinary
//	failed         no recipient is delivered or ordinary
//	partial        anything else
//
// Flags stand beside the states. A send may have several.
//
//	flag            when
//	conflict        proven notices name more than one identificativo: two copies have left
//	duplicate-send  two attempts were submitted, or a recipient of a Resend has the first message, or may get it, after all
//	overdue         a certified recipient is accepted or delayed 26 hours after acceptance (Options.OverdueAfter)
//	stale           it would be overdue, but some folder has not been read up to that time
//	held            it may have left before the Store was restored from a backup; it is not offered unless a search of the mailbox finds no trace of it
//	unconfirmed     nothing certified has come an hour after the provider's 250
//	unverified      a message that claims to be a notice about it is not proven
//
// # Methods
//
// A method that returns an iterator does nothing until it is ranged over.
//
//   - Send writes a message and hands it over. SendRaw does so for a message that the
//     caller wrote. Give a Message.Key: a repeated call with the same key, after a crash
//     or from another worker, returns the first send and never makes a second.
//   - Follow works until one send is settled, for programs that do not run Watch.
//   - Watch looks after a mailbox until its context ends. It is a loop over Retry,
//     which offers again what certainly has not left; Sync, which reads new messages;
//     SearchNotices, which searches for notices about uncertain sends; Reverify, now and
//     then; and Wait, which blocks until there is news. Each can be called by itself.
//   - Status reports one send. Find yields the sends that need attention. Changes yields
//     what was recorded after a position that the caller remembers. MessageID finds the
//     send of a key.
//   - Resend is the only way to a second copy: for recipients whose first copy has
//     definitely failed.
//   - ResolveSent and ResolveUnsent record a person's word on an attempt that stays
//     uncertain. Cancel gives up a send that certainly has not left.
//   - Suspended reports whether a login was refused. No Client of the Store then logs in
//     until Resume: call it once the password is right.
//   - MarkRestored records that the Store was restored from a backup. Nothing is sent
//     then until the mailbox has been read to see what had left.
//   - Reverify judges again what could not be proven or read at the time. Call it when
//     anchors have changed.
//   - A Ledger has the methods that need no connection, for reports and web hooks.
//
// # Concurrency
//
// A Client is safe for concurrent use. Any number of Clients, in as many processes,
// may share one mailbox and one Store. Whoever records attempt N first makes it, and
// the others stop. There are no locks, so a crash leaves none behind. One Client should
// Watch. Two are harmless: each message is read twice and recorded once, and each
// envelope reaches at least one of them. Inside the loop of Sync, Watch, SearchNotices
// or Reverify the mailbox is in use: do not call anything there that reads it.
//
// An attempt is claimed when the provider asks for the message (SMTP reply 354), and
// not when the connection is made. If the process dies before that, nothing was sent,
// and the message is offered again. If it dies between the claim and the provider's
// final answer, the send is uncertain. Over an open connection that window is one round
// trip to the server plus the time that the message takes (BenchmarkWindow of package
// smtpclient). Watch then searches for the notice that ends the uncertainty.
//
// # Errors
//
// Match errors with errors.As and errors.Is, never by their text.
//
//   - *ComposeError: the message cannot be sent, and nothing was recorded. Correct it.
//   - *KeyError: the key belongs to another request. Choose another key, or look at
//     the send that it names.
//   - *SendError: the send is recorded, and not confirmed. Follow it, and never Send the
//     message again without the same key. With OutcomeTemporary, Retry and Watch offer it
//     again. With OutcomeRefused, read the reply, correct the message, and Resend. With
//     OutcomeUncertain, wait for a notice or call SearchNotices; if nothing comes,
//     ResolveSent or ResolveUnsent. With OutcomeAuthentication, correct the login, and
//     Resume.
//   - *ResendError: the first message may still arrive, or was already repeated.
//   - *SuspendedError: a login was refused. It wraps a *LoginError if this very call met
//     the refusal. Correct the login, and Resume.
//   - *HeldError: the Store was restored, and it is not known yet what had left. Watch,
//     or Sync and Retry. If Send returns it without a Message-ID, nothing was recorded:
//     repeat the call with the same key.
//   - *AddressError, *OptionError: New refuses the address, an argument or a field of
//     Options; Find refuses a Filter that is none.
//   - *StoreError: repeat the call. If Send returns it with a Message-ID, the send may
//     have been recorded: without a key, ask Status before you send again.
//   - ErrUnknownPosition: Changes was given a position that the Store does not have, for example
//     because it was restored from a backup. Begin again at "", and expect changes that
//     you have seen.
//   - ErrUnknownSend: nothing is known under the Message-ID or the key.
//   - ErrNotUncertain, ErrUnderWay, ErrNotCancellable: there is nothing to resolve, it is too
//     early to resolve it, or there is nothing to Cancel. Look at the Status.
//   - ErrUnknownFact: a later version wrote to the Store. Update this one.
//
// Any other error comes from the mailbox or from the context. A method that reads may
// be called again.
package pec
