// Package pec sends Italian certified e-mail (PEC, posta elettronica certificata)
// and tells, for each recipient, what became of it.
//
//	client, err := pec.New("me@pec.example", submitter, mailbox, verifier, &pec.Options{Store: store})
//	id, err := client.Send(ctx, pec.Message{To: []string{"you@pec.example"}, Subject: "Diffida", Key: "case 12"})
//	status, err := client.Status(ctx, id)
//	for event, err := range client.Watch(ctx) { // unless status.Settled is true already
//		status, err = client.Status(ctx, id)
//		... // until status.Settled; then status.Result, status.Recipients
//	}
//
// A PEC is a legal act: Send hands each message over at most once, and never
// repeats what may have left. What is known of a send is a set of facts (Fact) that
// only grows, kept in a Store; its Status is computed from them by Fold, and from
// nothing else. A notice counts only when package envelope proved it and when it
// speaks of this send: our Message-ID, our address as its sender and one of our
// recipients.
//
// An attempt is claimed when the provider asks for the message, after its 354, and not
// while a connection is made: a process that dies before that has sent nothing, and the
// message is offered again. One that dies between the claim and the answer leaves the
// send uncertain. Over a connection in use that is one round trip to the server and the
// time that the message takes (BenchmarkWindow of package smtpclient). Watch looks for
// the notice that ends the uncertainty.
//
// What others send, in transport and anomaly envelopes, is opened by package inbound.
// receipt.CheckContent compares what a delivery receipt carries with what was sent.
//
// The package speaks no network protocol: Submitter and Mailbox are implemented by
// packages smtpclient and imapclient. Without Options.Store the facts are kept in
// memory, and a Client forgets its sends when the process ends.
//
// # Words
//
//	acceptance       ricevuta di accettazione             the sender's provider took the message: the legal moment of sending
//	non-acceptance   avviso di non accettazione           it did not: nobody gets the message
//	take-in-charge   ricevuta di presa in carico          passes between providers
//	delivery         ricevuta di avvenuta consegna        it is in the mailbox of one recipient: the legal moment of delivery
//	non-delivery     avviso di mancata consegna           it is not, and will not be
//	delivery delay   the same, per superamento dei tempi  nothing was heard of one recipient in 12 or 24 hours
//	virus detection  avviso di rilevazione virus          passes between providers
//	transport        busta di trasporto                   brings a PEC that somebody sent to us
//	anomaly          busta di anomalia                    brings ordinary mail, or a bounce
//	provider         gestore                              runs PEC mailboxes
//	CertID           identificativo                       the provider's ID of a message; ours is the Message-ID (msgid)
//
// # States
//
// Each recipient is in one state: of all that the facts support, the one of the
// highest rank. A late notice still moves a state that is final. Among several
// attempts what may have left outweighs what has not.
//
//	rank  state      final  moved by
//	   0  pending    no     the intent: recorded, and nothing offered yet
//	   1  retrying   no     an attempt with a temporary outcome: it will be offered again
//	   2  suspended  no     a refused login, until Resume
//	   3  uncertain  no     a claimed attempt without outcome, or one whose final reply was lost
//	   4  submitted  no     the provider's 250, or ResolveSent
//	   5  refused    yes    a permanent refusal in SMTP, Cancel, ResolveUnsent, or Options.RetryFor
//	   6  rejected   yes    a non-acceptance
//	   7  accepted   no     an acceptance, or a notice that implies it, that lists the address as certified
//	   8  ordinary   yes    the same, that lists the address as ordinary (esterno): handed over, uncertified
//	   9  bounced    yes    a bounce of an ordinary recipient: uncertified, anybody can write one
//	  10  delayed    no     a delay notice that is not the last
//	  11  expired    yes    the last delay notice: code 5.4.1, or 22 hours or more after acceptance
//	  12  failed     yes    a non-delivery
//	  13  delivered  yes    a delivery
//
// A send has one result. It is settled once every recipient is in a final state.
//
//	result         when
//	uncertain      some recipient is uncertain
//	open           otherwise, while some recipient is in a state that is not final
//	rejected       every recipient is rejected or refused
//	delivered      every recipient is delivered
//	accepted-only  every recipient is delivered or ordinary, and some are ordinary
//	failed         no recipient is delivered or ordinary
//	partial        anything else
//
// Flags stand beside the states.
//
//	flag            when
//	conflict        proven notices name more than one identificativo: two copies have left
//	duplicate-send  two attempts were taken, or a recipient that was sent it anew has it, or may get it, after all
//	overdue         a certified recipient is accepted or delayed 26 hours after acceptance (Options.OverdueAfter)
//	stale           it would be overdue, but some folder has not been read that far
//	held            it may have left before the Store was restored from a backup, and is not offered until the mailbox was searched for it
//	unconfirmed     nothing certified an hour after the provider's 250
//	unverified      a message that claims to be a notice about it is not proven
//
// # Methods
//
//   - Send writes a message and hands it over; SendRaw does for a message that the
//     caller wrote. Give a Message.Key: a repeated call with it, after a crash or from
//     another worker, gives the first send and never makes a second.
//   - Resend is the one way to a second copy: for recipients of whom the first has
//     definitely failed.
//   - Watch runs a mailbox. It is a loop over Retry, which offers again what provably
//     has not left; Sync, which reads what came; SearchNotices, which searches for notices about
//     what is uncertain; and Wait, until there is news. Each can be called by itself.
//   - Status tells of one send, Find of those that need looking at, and Changes what
//     was recorded since a place that the caller remembers. MessageID finds a key's send.
//   - ResolveSent and ResolveUnsent take a person's word for an attempt that stays uncertain, and Cancel
//     gives up a send that provably has not left.
//   - A Ledger has those of these that need no connection, for reports and web hooks.
//   - Suspended tells whether a login was refused. No Client of the Store logs in then,
//     until Resume: call it once the password is right.
//   - MarkRestored says that the Store was restored from a backup: nothing is sent then
//     before the mailbox has told what had left.
//   - Reverify judges again what was not proven, or could not be read, at the time: call
//     it when anchors have changed.
//
// # Concurrency
//
// A Client is safe for concurrent use. Any number of Clients, in as many processes,
// may share one mailbox and one Store: whoever records attempt N first makes it, and
// the others stop; there are no locks that a crash could leave behind. One of them
// should Watch. Two that do read everything twice and record it once, and each
// envelope goes to at least one of them. Inside the loop of Sync, Watch, SearchNotices or
// Reverify the mailbox is in use: call nothing there that reads it.
//
// # Errors
//
// Errors are told apart by errors.As and errors.Is, never by their text.
//
//   - *ComposeError: the message cannot be sent; nothing was recorded. Mend it.
//   - *KeyError: the key stands for another request. Choose another key, or look at
//     the send it names.
//   - *SendError: recorded, and not confirmed. Never Send again without the same
//     key. With OutcomeTemporary, Retry and Watch see to it; with OutcomeRefused read
//     the reply, mend, and Resend; with OutcomeUncertain wait for a notice, SearchNotices, and
//     in the end ResolveSent or ResolveUnsent; with OutcomeAuthentication mend the login, and Resume.
//   - *ResendError: the first message may still arrive, or was already repeated.
//   - *SuspendedError, which wraps a *LoginError where the call met the refusal itself:
//     mend the login, and Resume.
//   - *HeldError: the Store was restored, and what had left is not known yet. Watch, or
//     Sync and Retry. One of Send that comes without a Message-ID is not recorded: repeat
//     the call with its key.
//   - *AddressError, *OptionError: New refuses the address, or a field of Options.
//   - ErrPosition: Changes was asked to go on at a place that the Store does not have,
//     such as one restored from a backup. Begin at "", and expect what is known already.
//   - *StoreError: repeat the call. One of Send that comes with a Message-ID may have
//     been recorded: without a key, ask Status before sending again.
//   - ErrUnknownSend: nothing is known under the Message-ID, or the key.
//   - ErrNotUncertain, ErrUnderWay, ErrNotOpen: there is nothing to resolve, not
//     yet, or nothing to Cancel. Look at the Status.
//   - ErrUnknownFact: a later version wrote to the Store. Bring this one up to date.
//
// Any other error is of the mailbox or of the context: what reads may be called again.
package pec
