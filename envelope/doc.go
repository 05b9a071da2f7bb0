// Package envelope reads and verifies the signed outer layer of Italian certified
// e-mail (PEC, posta elettronica certificata). Every PEC message has one: an S/MIME
// multipart/signed made by a provider (gestore). It holds the certification data,
// daticert.xml, and in some kinds also the original message, which a person wrote.
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
// Open returns a Message only when all checks passed; they are listed at Verifier.
// Package receipt has one type for each kind of receipt and notice.
//
// The rules are those of RFC 6109, the English rendering of the Italian technical
// rules (DM 2 November 2005). Where providers' practice differs from them, this
// package follows the practice. It never uses the network, and it does not judge the
// original message: the signature is the provider's, not the author's.
package envelope
