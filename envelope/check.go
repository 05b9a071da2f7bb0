package envelope

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gopec/gopec/internal/cms"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/internal/multipart"
)

// check is one run of the checks over one message.
type check struct {
	ctx      context.Context
	verifier *Verifier
	source   *io.SectionReader
	findings Findings
	room     *room

	header    header.Header // of the whole message; unsigned
	signed    signedPart
	content   multipart.Signed
	signature multipart.Part
	original  *multipart.Part
	canonical bool    // the message has LF where CRLF was signed
	anchor    *Anchor // issued the signer's certificate
	fromErr   error   // why findings.From is empty
	partsErr  error   // why CertData and original cannot be relied on
}

func (c *check) run() error {
	c.room = c.verifier.rooms.Get().(*room)
	defer c.verifier.rooms.Put(c.room)
	for _, step := range steps {
		err := step(c)
		if err == nil {
			continue
		}
		var ve *VerifyError
		if errors.As(err, &ve) {
			ve.Findings = c.findings
		}
		return err
	}
	return nil
}

// steps are the checks, in order.
var steps = []func(*check) error{
	(*check).checkStructure, (*check).checkSignature, (*check).checkTrust, (*check).checkRevocation,
	(*check).checkSender, (*check).checkCertData, (*check).checkHeader, (*check).checkIndex,
}

// failed returns the error that ends the checks. Run adds the findings to it.
func failed(code Code, format string, args ...any) error {
	return &VerifyError{Code: code, Err: fmt.Errorf(format, args...)}
}

func (c *check) warn(w Warning) {
	if !slices.Contains(c.findings.Warnings, w) {
		c.findings.Warnings = append(c.findings.Warnings, w)
	}
}

// readFailed returns err if it is a failure to read, and nil if the bytes are merely
// malformed.
func readFailed(err error) error {
	if err == nil || errors.Is(err, io.EOF) || multipart.IsMalformed(err) {
		return nil
	}
	return fmt.Errorf("envelope: %w", err)
}

// parseFailed turns what a parser found wrong into a VerifyError, with the code
// malformed or CodeTooLarge. A failure to read stays another error.
func parseFailed(err error, malformed Code) error {
	switch {
	case errors.Is(err, header.ErrTooLarge), errors.Is(err, multipart.ErrTooLarge):
		return failed(CodeTooLarge, "%w", err)
	case errors.Is(err, multipart.ErrTooManyParts), errors.Is(err, header.ErrParams),
		errors.Is(err, multipart.ErrEncoding), errors.Is(err, multipart.ErrHeader):
		return failed(malformed, "%w", err)
	default:
		return fmt.Errorf("envelope: %w", err)
	}
}

// maxHeader is the longest outer header read, in bytes.
const maxHeader = 1 << 20

// checkStructure finds the signed part and the signature: RFC 1847, 2.1, and
// RFC 8551, 3.5.3. It also looks for the parts of RFC 6109, 4.3.3, so that the error
// of a later check can say what the message claims to be.
func (c *check) checkStructure() error {
	h, size, err := header.Read(c.source, maxHeader)
	if err != nil {
		return parseFailed(err, CodeMalformed)
	}
	c.header = h
	outer := multipart.NewPart(h, io.NewSectionReader(c.source, size, c.source.Size()-size))
	c.findings.OwnMessageID = NormalizeMessageID(c.header.Get("Message-ID"))
	c.findings.From, c.fromErr = c.fromAddress()
	c.findings.Kind = c.headerKind()

	if n := len(c.header.Values("Content-Type")); n > 1 {
		return failed(CodeMalformed, "%d Content-Type fields, not one", n)
	}
	if outer.MediaType != "multipart/signed" {
		return failed(CodeUnsigned, "the message is %.200q, not multipart/signed", outer.MediaType)
	}
	if err := c.readSigned(outer); err != nil {
		return err
	}
	if c.signature, err = multipart.ReadPart(c.content.Parts[1]); err != nil {
		return parseFailed(err, CodeMalformed)
	}
	switch c.signature.MediaType {
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
	default:
		return failed(CodeMalformed, "the second part is %.200q, not application/pkcs7-signature", c.signature.MediaType)
	}
	return c.findParts()
}

// readSigned splits the message and hashes the signed part in one pass. The signature
// and its algorithm come after that part. SHA-256 is needed in any case, for
// Findings.Digest, so that is computed here.
func (c *check) readSigned(outer multipart.Part) error {
	var digests *digester
	f := form{hash: crypto.SHA256}
	content, err := outer.SplitSigned(c.room.block[:], func(lf bool) io.Writer {
		// A message stored with LF was most probably signed with CRLF.
		f.canonical = lf
		digests = newDigester(c.ctx, f)
		return digests
	})
	if err != nil {
		return parseFailed(err, CodeMalformed)
	}
	if len(content.Parts) != 2 {
		return failed(CodeMalformed, "%d parts in multipart/signed, not two", len(content.Parts))
	}
	f.canonical = f.canonical && content.BareLF
	c.content = content
	c.signed = signedPart{content.Parts[0], content.BareLF, []sum{{f, digests.hash.Sum(nil)}}}
	return nil
}

// checkSignature verifies the CMS signature over the signed part: RFC 5652, 5.4
// to 5.6.
func (c *check) checkSignature() error {
	p7s, err := c.signature.Content(cms.MaxSize, c.room.content[:])
	if err != nil {
		return parseFailed(err, CodeBadCMS)
	}
	sig, err := cms.Parse(p7s, c.verifier.leaves.parse)
	if err != nil {
		return cmsFailed(err)
	}
	c.findings.Signer, c.findings.SigningTime = sig.Certificate, sig.SigningTime
	if sig.BER {
		c.warn(WarningBER)
	}
	if err := c.checkDigest(sig); err != nil {
		return err
	}
	if err := sig.Verify(); err != nil {
		return cmsFailed(err)
	}
	if sig.Digest == crypto.SHA1 {
		c.warn(WarningSHA1Digest)
	}
	return nil
}

// checkDigest compares the digest of the signed part with the signed one, and sets
// findings.Digest.
func (c *check) checkDigest(sig *cms.Signature) error {
	key, err := c.signed.digest(c.ctx, crypto.SHA256, true, c.room.block[:])
	if err != nil {
		return err
	}
	c.findings.Digest = Digest(key)
	forms := []bool{false}
	if c.signed.bareLF {
		// Some mail stores change line ends to LF; the CRLF form was signed (RFC 8551, 3.1.1).
		forms = []bool{true, false}
	}
	for _, canonical := range forms {
		digest, err := c.signed.digest(c.ctx, sig.Digest, canonical, c.room.block[:])
		if err != nil {
			return err
		}
		if sig.MatchesDigest(digest) {
			if c.canonical = canonical; canonical {
				c.warn(WarningLFStorage)
			}
			return nil
		}
	}
	return failed(CodeDigestMismatch, "the signed part was changed after it was signed")
}

func cmsFailed(err error) error {
	var ce *cms.Error
	if errors.As(err, &ce) {
		return failed(Code(ce.Reason), "%w", err)
	}
	return err
}

// checkSender compares the outer From with the signer: RFC 6109, 2.1, "the From
// address is the one of the certificate".
func (c *check) checkSender() error {
	if c.fromErr != nil {
		return failed(CodeAddressMismatch, "%w", c.fromErr)
	}
	if signer := c.findings.Signer.EmailAddresses[0]; !SameAddress(c.findings.From, signer) {
		return failed(CodeAddressMismatch, "From is %.200q, but the signer is %.200q", c.findings.From, signer)
	}
	return nil
}

// checkCertData requires certification data: RFC 6109, 4.3.3 and 4.4. An anomaly
// envelope has none (3.2.2), but must hold the message it wraps.
func (c *check) checkCertData() error {
	if c.findings.CertData == nil && errors.Is(c.partsErr, errNoCertData) &&
		c.headerKind() == KindAnomaly && c.original != nil {
		c.findings.Kind = KindAnomaly
		return nil
	}
	if c.partsErr != nil {
		return c.partsErr
	}
	// RFC 6109, 3: the XML alone decides the kind of a message.
	c.findings.Kind = c.findings.CertData.Kind
	return nil
}

// checkHeader compares the marker headers with the certification data: RFC 6109,
// Appendix A. They are not signed, so they prove nothing; but one that contradicts
// the data would mislead a program that reads only the header.
func (c *check) checkHeader() error {
	ricevuta, trasporto := c.header.Values("X-Ricevuta"), c.header.Values("X-Trasporto")
	riferimento := c.header.Values("X-Riferimento-Message-ID")
	if len(ricevuta) > 1 || len(trasporto) > 1 || len(riferimento) > 1 {
		return failed(CodeHeaderMismatch, "X-Ricevuta, X-Trasporto or X-Riferimento-Message-ID occurs more than once")
	}
	if len(ricevuta)+len(trasporto) == 0 {
		c.warn(WarningHeaderAbsent)
	}
	data := c.findings.CertData
	for _, token := range ricevuta {
		if receiptKind(token) != c.findings.Kind || c.findings.Kind == KindUnknown && !sameToken(token, data.Token) {
			return failed(CodeHeaderMismatch, "X-Ricevuta %.200q on a message of kind %v", token, c.findings.Kind)
		}
	}
	for _, token := range trasporto {
		if transportKind(token) != c.findings.Kind || c.findings.Kind == KindUnknown {
			return failed(CodeHeaderMismatch, "X-Trasporto %.200q on a message of kind %v", token, c.findings.Kind)
		}
	}
	if data == nil {
		return nil
	}
	if len(riferimento) == 0 && data.MessageID != "" {
		c.warn(WarningHeaderAbsent)
	}
	for _, id := range riferimento {
		if !SameMessageID(id, data.MessageID) {
			return failed(CodeHeaderMismatch, "X-Riferimento-Message-ID is %.200q, but msgid is %.200q", id, data.MessageID)
		}
	}
	return nil
}

// headerKind returns the kind that the outer header claims: RFC 6109, 2.2.1.
// X-Ricevuta takes precedence over X-Trasporto.
func (c *check) headerKind() Kind {
	if v := c.header.Get("X-Ricevuta"); v != "" {
		return receiptKind(v)
	}
	if v := c.header.Get("X-Trasporto"); v != "" {
		return transportKind(v)
	}
	return KindNone
}
