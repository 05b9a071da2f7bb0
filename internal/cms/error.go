package cms

// Reason names the check of a signature that failed. Package envelope uses the same words
// in its Code.
type Reason string

// The reasons, in the order of the checks.
const (
	TooLarge            Reason = "too-large"             // exceeds a limit
	BadCMS              Reason = "bad-cms"               // not a detached SignedData
	SignerCount         Reason = "signer-count"          // not exactly one signer
	NoSignerCertificate Reason = "no-signer-certificate" // the signer's certificate is not enclosed
	Attributes          Reason = "attributes"            // signed attributes absent, repeated or wrong
	WeakAlgorithm       Reason = "weak-algorithm"        // an algorithm or a key too weak to prove anything, or not supported
	BadSignature        Reason = "bad-signature"         // the signature was not made with the certificate's key
)

// Error is the type of all errors of this package.
type Error struct {
	Reason Reason
	Detail string
}

func (e *Error) Error() string { return "cms: " + string(e.Reason) + ": " + e.Detail }

func fail(r Reason, detail string) *Error { return &Error{r, detail} }
