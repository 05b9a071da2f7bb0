// Package envelope reads and proves the signed outer layer that every message of
// Italian certified e-mail (PEC, posta elettronica certificata) has in common:
// an S/MIME multipart/signed made by a provider (gestore), with certification data
// in daticert.xml and, in some kinds, the message that a person wrote.
//
//	verifier, err := envelope.NewVerifier(envelope.BuiltinAnchors(), nil)
//	...
//	m, err := envelope.Open(ctx, file, verifier)
//	if err != nil {
//		return err // *envelope.VerifyError says which check failed
//	}
//	defer m.Close()
//	fmt.Println(m.Kind, m.CertData.Sender, m.CertData.Time)
//
// A Message exists only when all checks passed (see Verifier). For receipts and
// notices, package receipt gives each kind a type of its own.
//
// The rules are RFC 6109, the English rendering of the Italian technical rules
// (DM 2 November 2005); where providers' practice differs from them, this package
// follows the practice. It does not judge the original message, which is its
// sender's, and does not reach for the network.
package envelope
