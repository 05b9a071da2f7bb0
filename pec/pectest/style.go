package pectest

// Style is how a provider writes and signs its messages. Each field is something
// that genuine providers do, save Certificate and Malformed. The zero Style is
// that of the most common engine, with SHA-256 in DER.
type Style struct {
	// Engine is the family of software that lays out the parts.
	Engine Engine
	// SHA1 digests and signs with SHA-1, as most did until 2024. False is SHA-256.
	SHA1 bool
	// BER encodes the signature with indefinite lengths. False is DER.
	BER bool
	// MicAlg is the parameter of that name. Empty is sha1 or sha-256, whichever is
	// true.
	MicAlg string
	// ShortType names the signature application/pkcs7-signature. False is
	// application/x-pkcs7-signature.
	ShortType bool
	// OriginalFirst puts postacert.eml before daticert.xml.
	OriginalFirst bool
	// HTML adds the text in HTML, as an alternative.
	HTML bool
	// OwnWording writes the text/plain part as Aruba does. False is the wording of the
	// rules.
	OwnWording bool
	// FoldIDs puts the Message-IDs of the outer header on a line of their own.
	FoldIDs bool
	// OddHeaderCase writes X-Tiporicevuta and the like.
	OddHeaderCase bool
	// ExtraPart adds a part of the provider's own at the end; to an anomaly none, which
	// may have no other than the text and the message.
	ExtraPart bool
	// NoSubject leaves oggetto out of the certification data.
	NoSubject bool
	// Certificate is the signer's.
	Certificate Certificate
	// Malformed makes the message wrong in one way; empty is right.
	Malformed Malformed
}

// Engine is a family of provider software.
type Engine string

// The engines that have been observed.
const (
	EngineAruba    Engine = "aruba"    // so is the zero value: Aruba, Namirial, Sogei: quoted names, daticert.xml inline in base64, text in quoted-printable
	EngineInfoCert Engine = "infocert" // InfoCert: bare names, daticert.xml attached in 7bit, bilingual ASCII text, X-CrmlId, a comment in Date
)

// Certificate chooses the signing certificate.
type Certificate string

// The certificates. The key is the provider's own in all of them.
const (
	CertificateGood         Certificate = "good"          // that of Provider.Leaf; so is the zero value
	CertificateExpired      Certificate = "expired"       // valid until the day before the network's start
	CertificateOtherAddress Certificate = "other-address" // for another address than From
	CertificateForeignCA    Certificate = "foreign-ca"    // from a CA of the same name with another key
)

// Malformed is one way in which a message is wrong.
type Malformed string

// The malformations.
const (
	MalformedChanged   Malformed = "changed"         // a byte of the text is another than was signed
	MalformedRewrapped Malformed = "rewrapped"       // daticert.xml in base64 lines of another length than was signed
	MalformedTruncated Malformed = "truncated"       // the message ends within the signature
	MalformedUnsigned  Malformed = "unsigned"        // multipart/mixed without signature
	MalformedNoData    Malformed = "no-daticert"     // daticert.xml is not there
	MalformedTwoData   Malformed = "two-daticert"    // daticert.xml is there twice
	MalformedData      Malformed = "broken-xml"      // daticert.xml is no XML
	MalformedKind      Malformed = "other-kind"      // X-Ricevuta or X-Trasporto contradicts daticert.xml
	MalformedReference Malformed = "other-reference" // X-Riferimento-Message-ID contradicts daticert.xml
	MalformedLF        Malformed = "lf"              // bare LF line ends throughout, as after careless storage
)

// style gives the style of a notice: its own, else the provider's.
func (p *Provider) style(n Notice) Style {
	if n.Style != nil {
		return *n.Style
	}
	return p.opts.Style
}
