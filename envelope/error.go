package envelope

import (
	"errors"
	"fmt"
)

// ErrNoAnchors reports a Verifier without trust anchors. There is no default:
// the roots of the operating system would accept any S/MIME certificate sold.
var ErrNoAnchors = errors.New("envelope: no trust anchors")

// ErrNoOriginal reports that a message carries no original message: a concise
// delivery receipt, an acceptance, and so on.
var ErrNoOriginal = errors.New("envelope: no original message")

// Code names the check that failed. The set is closed.
type Code string

// The codes, in the order of the checks. See Verifier for what each check asks.
const (
	CodeUnsigned            Code = "unsigned"              // not multipart/signed
	CodeMalformed           Code = "malformed"             // multipart/signed, but not as RFC 1847 has it
	CodeTooLarge            Code = "too-large"             // beyond a limit; not looked at
	CodeBadCMS              Code = "bad-cms"               // the signature cannot be read
	CodeSignerCount         Code = "signer-count"          // not exactly one signer
	CodeNoSignerCertificate Code = "no-signer-certificate" // the signer's certificate is not enclosed
	CodeAttributes          Code = "attributes"            // signed attributes absent, repeated or wrong
	CodeWeakAlgorithm       Code = "weak-algorithm"        // an algorithm that proves nothing
	CodeDigestMismatch      Code = "digest-mismatch"       // the signed part was changed
	CodeBadSignature        Code = "bad-signature"         // the signature is not the certificate's
	CodeUntrusted           Code = "untrusted"             // the certificate was not issued by an anchor
	CodeLegacy              Code = "legacy"                // genuine, but only under the legacy policy
	CodeExpired             Code = "expired"               // the certificate was not valid at signing time
	CodeFuture              Code = "future"                // signed later than the clock says: to be judged again by then
	CodeWrongUsage          Code = "wrong-usage"           // not a provider's signing certificate
	CodeRevoked             Code = "revoked"               // revoked at or before signing time
	CodeAddressMismatch     Code = "address-mismatch"      // From is not the signer
	CodeNoCertData          Code = "no-certdata"           // not exactly one daticert.xml, or one that somebody else may have put there
	CodeBadCertData         Code = "bad-certdata"          // daticert.xml incomplete or contradictory
	CodeHeaderMismatch      Code = "header-mismatch"       // the outer header contradicts daticert.xml
)

// Warning is something a reader should know about a message that is proven
// nevertheless. The set is closed.
type Warning string

// The warnings.
const (
	WarningSHA1Digest        Warning = "sha1-digest"        // the digest is SHA-1, as in most genuine messages until 2024
	WarningBER               Warning = "ber"                // the signature is in BER, not DER
	WarningLFStorage         Warning = "lf-storage"         // stored with LF line ends; verified in CRLF form
	WarningTimeSkew          Warning = "time-skew"          // signing time and certified time differ by more than ten minutes
	WarningExpiredNow        Warning = "expired-now"        // the certificate has expired since
	WarningHeaderAbsent      Warning = "header-absent"      // a marker header was lost on the way
	WarningRevocationUnknown Warning = "revocation-unknown" // the revocation source gave no answer for the signing time
	WarningFurtherParts      Warning = "further-parts"      // parts beside text, data and original: who guessed the boundary may have ended the original early
	WarningRevokedLater      Warning = "revoked-later"      // revoked after signing time
)

// VerifyError reports a message that is not proven. Facts holds what was found
// before and around the failed check; it is evidence of a failed check, and
// proves nothing else.
type VerifyError struct {
	Code     Code     // the check that failed
	Findings Findings // what was found: claims
	Err      error    // the detail; never nil
}

// Error implements error.
func (e *VerifyError) Error() string {
	return fmt.Sprintf("envelope: not verified: %s: %v", e.Code, e.Err)
}

// Unwrap gives the detail.
func (e *VerifyError) Unwrap() error { return e.Err }
