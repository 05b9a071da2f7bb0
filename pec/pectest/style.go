package pectest

// Style is how a provider writes and signs its messages. Genuine providers do what each
// field describes, except for Certificate and Malformed. The zero Style is that of the most
// common engine, with SHA-256 and DER.
type Style struct {
	// Engine is the family of software that lays out the parts. Empty means EngineAruba.
	Engine Engine
	// SHA1 digests and signs with SHA-1, as most providers did until 2024. False uses
	// SHA-256.
	SHA1 bool
	// BER encodes the signature with indefinite lengths. False uses DER.
	BER bool
	// MicAlg is the micalg parameter. Empty means the digest in use, sha1 or sha-256.
	MicAlg string
	// ShortType gives the signature the type application/pkcs7-signature. False uses
	// application/x-pkcs7-signature.
	ShortType bool
	// OriginalFirst puts postacert.eml before daticert.xml.
	OriginalFirst bool
	// HTML adds the text in HTML, as an alternative.
	HTML bool
	// OwnWording writes the readable text as Aruba does. False uses the wording of the
	// rules.
	OwnWording bool
	// FoldIDs folds the outer header so that each Message-ID stands on a line of its own.
	FoldIDs bool
	// OddHeaderCase writes field names such as X-Tiporicevuta.
	OddHeaderCase bool
	// ExtraPart adds a part of the provider's own at the end. It has no effect on an
	// anomaly, which has only the text and the message (RFC 6109, 3.2.2).
	ExtraPart bool
	// NoSubject leaves oggetto out of the certification data.
	NoSubject bool
	// Certificate is the signing certificate. Empty means CertificateGood.
	Certificate Certificate
	// Malformed makes the message wrong in one way. Empty means a correct message.
	Malformed Malformed
}

// Engine is a family of provider software.
type Engine string

// The engines that have been observed.
const (
	EngineAruba    Engine = "aruba"    // Aruba, Namirial, Sogei: quoted names, daticert.xml inline in base64, text in quoted-printable; the zero value means the same
	EngineInfoCert Engine = "infocert" // InfoCert: bare names, daticert.xml attached in 7bit, bilingual ASCII text, X-CrmlId, a comment in Date
)

// Certificate is a choice of signing certificate.
type Certificate string

// The certificates. All of them hold the provider's own key.
const (
	CertificateGood         Certificate = "good"          // Provider.Leaf; the zero value means the same
	CertificateExpired      Certificate = "expired"       // it expired the day before the network's start
	CertificateOtherAddress Certificate = "other-address" // for an address other than From
	CertificateForeignCA    Certificate = "foreign-ca"    // from a CA of the same name with another key
)

// Malformed is one way in which a message is wrong.
type Malformed string

// The malformations.
const (
	MalformedChanged   Malformed = "changed"         // a byte of the text was changed after signing
	MalformedRewrapped Malformed = "rewrapped"       // the base64 lines of daticert.xml were rewrapped after signing
	MalformedTruncated Malformed = "truncated"       // the message ends inside the signature
	MalformedUnsigned  Malformed = "unsigned"        // multipart/mixed without a signature
	MalformedNoData    Malformed = "no-daticert"     // there is no daticert.xml
	MalformedTwoData   Malformed = "two-daticert"    // there are two daticert.xml
	MalformedData      Malformed = "broken-xml"      // daticert.xml is cut in half
	MalformedKind      Malformed = "other-kind"      // X-Ricevuta or X-Trasporto contradicts daticert.xml
	MalformedReference Malformed = "other-reference" // X-Riferimento-Message-ID contradicts daticert.xml
	MalformedLF        Malformed = "lf"              // bare LF line ends throughout, as after careless storage
)

// style returns the style of a notice: its own, or else the provider's.
func (p *Provider) style(n Notice) Style {
	if n.Style != nil {
		return *n.Style
	}
	return p.opts.Style
}
