package cms

// Reason says which check of a signature failed.
type Reason string

// The reasons, in the order of the checks.
const (
	TooLarge            Reason = "too-large"             // over a limit, not looked at
	BadCMS              Reason = "bad-cms"               // not a detached SignedData
	SignerCount         Reason = "signer-count"          // not exactly one signer
	NoSignerCertificate Reason = "no-signer-certificate" // the signer's certificate is not enclosed
	Attributes          Reason = "attributes"            // signed attributes absent, doubled or wrong
	WeakAlgorithm       Reason = "weak-algorithm"        // an algorithm that proves nothing
	DigestMismatch      Reason = "digest-mismatch"       // the content is not what was signed
	BadSignature        Reason = "bad-signature"         // the signature is not the certificate's
)

// Error is the error of this package.
type Error struct {
	Reason Reason
	Detail string
}

func (e *Error) Error() string { return "cms: " + string(e.Reason) + ": " + e.Detail }

func fail(r Reason, detail string) *Error { return &Error{r, detail} }
