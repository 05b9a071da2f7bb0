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
	facts    Findings
	room     *room

	header    header.Header // the outer one, unsigned
	signed    signedPart
	content   multipart.Signed
	signature multipart.Part
	original  *multipart.Part
	canonical bool    // what was signed has CRLF where the message has LF
	anchor    *Anchor // the one that issued the signer's certificate
	fromErr   error   // why there is no facts.From
	partsErr  error   // why CertData and original are not to be relied upon
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
			ve.Findings = c.facts
		}
		return err
	}
	return nil
}

// steps are the checks in their order.
var steps = []func(*check) error{
	(*check).checkStructure, (*check).checkSignature, (*check).checkTrust, (*check).checkRevocation,
	(*check).checkSender, (*check).checkCertData, (*check).checkHeader, (*check).checkIndex,
}

// failed ends the checks. Its facts are filled in by run.
func failed(code Code, format string, args ...any) error {
	return &VerifyError{Code: code, Err: fmt.Errorf(format, args...)}
}

func (c *check) warn(w Warning) {
	if !slices.Contains(c.facts.Warnings, w) {
		c.facts.Warnings = append(c.facts.Warnings, w)
	}
}

// readFailed gives an error of reading and no other: what is wrong with the bytes is no
// error for who asks it.
func readFailed(err error) error {
	for _, e := range []error{io.EOF, header.ErrTooLarge, header.ErrParams, multipart.ErrTooManyParts} {
		if err == nil || errors.Is(err, e) {
			return nil
		}
	}
	return fmt.Errorf("envelope: %w", err)
}

// parseFailed tells what a parser of ours found from a failure to read.
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
// RFC 8551, 3.5.3. It also looks for the parts of RFC 6109, 4.3.3, so that a
// check that fails later can tell what the message claims to be.
func (c *check) checkStructure() error {
	h, size, err := header.Read(c.source, maxHeader)
	if err != nil {
		return parseFailed(err, CodeMalformed)
	}
	c.header = h
	outer := multipart.NewPart(h, io.NewSectionReader(c.source, size, c.source.Size()-size))
	c.facts.OwnMessageID = NormalizeMessageID(c.header.Get("Message-ID"))
	c.facts.From, c.fromErr = c.fromAddress()
	c.facts.Kind = c.headerKind()

	if n := len(c.header.Values("Content-Type")); n > 1 {
		return failed(CodeMalformed, "%d Content-Type fields", n)
	}
	if outer.MediaType != "multipart/signed" {
		return failed(CodeUnsigned, "the message is %.200q", outer.MediaType)
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
		return failed(CodeMalformed, "the second part is %.200q", c.signature.MediaType)
	}
	return c.findParts()
}

// readSigned splits the message and hashes the signed part in one pass. The
// algorithm of the signature stands behind that part: SHA-256 is made in any case,
// for the key.
func (c *check) readSigned(outer multipart.Part) error {
	var digests *digester
	f := form{hash: crypto.SHA256}
	content, err := outer.SplitSigned(c.room.block[:], func(lf bool) io.Writer {
		// What is stored with LF was most probably signed with CRLF.
		f.canonical = lf
		digests = newDigester(c.ctx, f)
		return digests
	})
	if err != nil {
		return parseFailed(err, CodeMalformed)
	}
	if len(content.Parts) != 2 {
		return failed(CodeMalformed, "%d parts in multipart/signed", len(content.Parts))
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
	c.facts.Signer, c.facts.SigningTime = sig.Certificate, sig.SigningTime
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

// checkDigest compares the signed part with what was signed, and gives it its key.
func (c *check) checkDigest(sig *cms.Signature) error {
	key, err := c.signed.digest(c.ctx, crypto.SHA256, true, c.room.block[:])
	if err != nil {
		return err
	}
	c.facts.Digest = Digest(key)
	forms := []bool{false}
	if c.signed.bareLF {
		// Mail stores keep LF line ends; what was signed is the CRLF form (RFC 8551, 3.1.1).
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
	return failed(CodeDigestMismatch, "the signed part is not what was signed")
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
	if signer := c.facts.Signer.EmailAddresses[0]; !SameAddress(c.facts.From, signer) {
		return failed(CodeAddressMismatch, "From is %.200q, the signer %.200q", c.facts.From, signer)
	}
	return nil
}

// checkCertData asks for the certification data: RFC 6109, 4.3.3 and 4.4. An
// anomaly envelope has none (3.2.2), only the message it wraps.
func (c *check) checkCertData() error {
	if c.facts.CertData == nil && errors.Is(c.partsErr, errNoCertData) &&
		c.headerKind() == KindAnomaly && c.original != nil {
		c.facts.Kind = KindAnomaly
		return nil
	}
	if c.partsErr != nil {
		return c.partsErr
	}
	// RFC 6109, 3: what a message is, is decided by the XML and nothing else.
	c.facts.Kind = c.facts.CertData.Kind
	return nil
}

// checkHeader compares the marker headers with the certification data: RFC 6109,
// Appendix A. They are not signed: one that contradicts was put there to mislead
// whoever reads only the header.
func (c *check) checkHeader() error {
	ricevuta, trasporto := c.header.Values("X-Ricevuta"), c.header.Values("X-Trasporto")
	riferimento := c.header.Values("X-Riferimento-Message-ID")
	if len(ricevuta) > 1 || len(trasporto) > 1 || len(riferimento) > 1 {
		return failed(CodeHeaderMismatch, "a marker header is repeated")
	}
	if len(ricevuta)+len(trasporto) == 0 {
		c.warn(WarningHeaderAbsent)
	}
	data := c.facts.CertData
	for _, token := range ricevuta {
		if receiptKind(token) != c.facts.Kind || c.facts.Kind == KindUnknown && !sameToken(token, data.Token) {
			return failed(CodeHeaderMismatch, "X-Ricevuta %.200q on a message of kind %v", token, c.facts.Kind)
		}
	}
	for _, token := range trasporto {
		if transportKind(token) != c.facts.Kind || c.facts.Kind == KindUnknown {
			return failed(CodeHeaderMismatch, "X-Trasporto %.200q on a message of kind %v", token, c.facts.Kind)
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
			return failed(CodeHeaderMismatch, "X-Riferimento-Message-ID %.200q, msgid %.200q", id, data.MessageID)
		}
	}
	return nil
}

// headerKind is what the outer header claims: RFC 6109, 2.2.1. X-Ricevuta goes
// before X-Trasporto.
func (c *check) headerKind() Kind {
	if v := c.header.Get("X-Ricevuta"); v != "" {
		return receiptKind(v)
	}
	if v := c.header.Get("X-Trasporto"); v != "" {
		return transportKind(v)
	}
	return KindNone
}
