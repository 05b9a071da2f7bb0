package envelope

import (
	"errors"
	"fmt"
)

// ErrNoAnchors reports a Verifier without trust anchors. There is no default: with the
// roots of the operating system, anyone could buy a certificate that is accepted. Use
// BuiltinAnchors for Italian PEC.
var ErrNoAnchors = errors.New("envelope: no trust anchors; for Italian PEC use BuiltinAnchors")

// ErrNoOriginal reports that a PEC message does not carry the original message, as in
// an acceptance or a concise delivery receipt.
var ErrNoOriginal = errors.New("envelope: no original message")

// Code names the check that failed. The set is closed.
type Code string

// The codes, in the order of the checks. Verifier says what each check requires.
const (
	CodeUnsigned            Code = "unsigned"              // not multipart/signed
	CodeMalformed           Code = "malformed"             // multipart/signed, but not as RFC 1847 requires
	CodeTooLarge            Code = "too-large"             // exceeds a limit of this package, which Err names
	CodeBadCMS              Code = "bad-cms"               // the signature cannot be read
	CodeSignerCount         Code = "signer-count"          // not exactly one signer
	CodeNoSignerCertificate Code = "no-signer-certificate" // the signer's certificate is not enclosed
	CodeAttributes          Code = "attributes"            // signed attributes absent, repeated or wrong
	CodeWeakAlgorithm       Code = "weak-algorithm"        // an algorithm or key that is too weak to prove anything, or not supported
	CodeDigestMismatch      Code = "digest-mismatch"       // the signed part was changed
	CodeBadSignature        Code = "bad-signature"         // the signature was not made with the certificate's key
	CodeUntrusted           Code = "untrusted"             // the certificate was not issued by an anchor, or may not sign for this host or domain
	CodeLegacy              Code = "legacy"                // issued by an anchor, but needs VerifierOptions.AllowLegacy
	CodeExpired             Code = "expired"               // the certificate was not valid at signing time, or that time is unknown
	CodeFuture              Code = "future"                // the signing time is in the future; verify again then
	CodeWrongUsage          Code = "wrong-usage"           // not a provider's signing certificate
	CodeRevoked             Code = "revoked"               // revoked at or before signing time
	CodeAddressMismatch     Code = "address-mismatch"      // From is not the signer's address
	CodeNoCertData          Code = "no-certdata"           // not exactly one daticert.xml, or one that somebody other than the provider may have put there
	CodeBadCertData         Code = "bad-certdata"          // daticert.xml incomplete or contradictory
	CodeHeaderMismatch      Code = "header-mismatch"       // the outer header contradicts daticert.xml
)

// Warning names something worth knowing about a message that is proven all the same.
// The set is closed.
type Warning string

// The warnings.
const (
	WarningSHA1Digest        Warning = "sha1-digest"        // the digest is SHA-1, as in most genuine messages until 2024
	WarningBER               Warning = "ber"                // the signature is in BER, not DER
	WarningLFStorage         Warning = "lf-storage"         // stored with LF line ends; verified in CRLF form
	WarningTimeSkew          Warning = "time-skew"          // signing time and certified time differ by more than ten minutes
	WarningExpiredNow        Warning = "expired-now"        // the certificate has expired since it signed
	WarningHeaderAbsent      Warning = "header-absent"      // a marker header is missing; it was lost on the way
	WarningRevocationUnknown Warning = "revocation-unknown" // no revocation list covers the signing time
	WarningFurtherParts      Warning = "further-parts"      // there are parts besides text, data and original: a sender may have guessed the boundary and cut the original short
	WarningRevokedLater      Warning = "revoked-later"      // revoked after signing time
)

// VerifyError reports a message that is not proven. Findings holds all that was found
// out nevertheless. It shows that a check failed, and proves nothing else.
type VerifyError struct {
	Code     Code     // the check that failed
	Findings Findings // what the message claims
	Err      error    // what is wrong, in detail; never nil
}

// Error implements error.
func (e *VerifyError) Error() string {
	return fmt.Sprintf("envelope: not verified: %s: %v", e.Code, e.Err)
}

// Unwrap returns e.Err.
func (e *VerifyError) Unwrap() error { return e.Err }
