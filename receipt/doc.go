// Package receipt reads and verifies the receipts (ricevute) and notices (avvisi) of
// Italian certified e-mail. Each kind has a type of its own. A Notice is proof: it
// exists only if the message passed all checks of package envelope.
//
//	notice, err := receipt.Open(ctx, file, verifier)
//	if err != nil {
//		return err // *envelope.VerifyError: not proven
//	}
//	defer notice.Close()
//	switch n := notice.(type) {
//	case *receipt.Acceptance:
//		fmt.Println("accepted at", n.Time)
//	case *receipt.Delivery:
//		fmt.Println("delivered to", n.Recipient, "at", n.Time)
//	case *receipt.NonDelivery:
//		fmt.Println("not delivered to", n.Recipient, n.Failure.Cause)
//	}
//
// A notice says what happened to one message, and in most kinds to one recipient of it.
// Do not match notices to your messages by Message-ID alone: anybody can obtain genuine
// notices that cite the Message-ID of your message. Package pec matches them.
//
// A delivery receipt also proves what was delivered: it carries the original message, or
// hashes of its attachments. CheckContent compares these with the message that was sent. So
// an auditor who has both can verify a delivery without package pec.
package receipt
