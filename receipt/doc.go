// Package receipt gives each receipt (ricevuta) and notice (avviso) of Italian
// certified e-mail a type of its own. A Notice is proof: it exists only when the
// message passed all the checks of package envelope.
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
// A notice says what happened to one message, and to one recipient in most kinds.
// Which of your messages it speaks of is for package pec to tell: anybody can earn
// genuine notices that cite your Message-ID.
package receipt
