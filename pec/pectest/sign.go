package pectest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/digitorus/pkcs7"
)

// Sign signs a MIME part as this provider and returns the complete message: the header,
// then multipart/signed with the part and a detached CMS signature in the provider's style
// (RFC 6109, 2.1; RFC 8551, 3.5.3).
//
// The part is its own header and body, with CRLF line ends; its exact bytes are signed. The
// fields in header come first and are not signed; MIME-Version and Content-Type are added.
func (p *Provider) Sign(header []Field, part []byte) ([]byte, error) {
	return p.sign(header, part, p.opts.Style)
}

func (p *Provider) sign(header []Field, part []byte, style Style) ([]byte, error) {
	signature, err := p.signature(part, style)
	if err != nil {
		return nil, err
	}
	b := "----" + rand.Text()
	var out bytes.Buffer
	for _, f := range header {
		fmt.Fprintf(&out, "%s: %s\r\n", f.Name, f.Value)
	}
	out.WriteString("MIME-Version: 1.0\r\n")
	mediaType, micalg := "application/x-pkcs7-signature", style.MicAlg
	if style.ShortType {
		mediaType = "application/pkcs7-signature"
	}
	switch {
	case micalg != "":
	case style.SHA1:
		micalg = "sha1"
	default:
		micalg = "sha-256"
	}
	fmt.Fprintf(&out, "Content-Type: multipart/signed; protocol=\"%s\"; micalg=%s;\r\n boundary=\"%s\"\r\n\r\n", mediaType, micalg, b)
	out.WriteString("This is an S/MIME signed message\r\n\r\n")
	fmt.Fprintf(&out, "--%s\r\n", b)
	out.Write(part)
	fmt.Fprintf(&out, "\r\n--%s\r\n", b)
	out.WriteString("Content-Type: " + mediaType + "; name=\"smime.p7s\"\r\n" +
		"Content-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n")
	out.Write(base64Lines(signature, 64))
	fmt.Fprintf(&out, "\r\n--%s--\r\n", b)
	return out.Bytes(), nil
}

func (p *Provider) signature(part []byte, style Style) ([]byte, error) {
	leaf, issuer, err := p.certificate(style.Certificate)
	if err != nil {
		return nil, err
	}
	s := signer{key: p.key, leaf: leaf, issuer: issuer, hash: crypto.SHA256, ber: style.BER}
	if style.SHA1 {
		s.hash = crypto.SHA1
	}
	at := p.network.now()
	if p.network.machine {
		at = time.Now()
	}
	return s.sign(part, at)
}

// verify checks the existence, origin and validity of a message's signature, as an incoming
// point does (RFC 6109, 2.2.2), and returns the signed part.
func (n *Network) verify(message entity) (entity, error) {
	mediaType, params := message.mediaType()
	if mediaType != "multipart/signed" {
		return entity{}, errors.New("it is not signed")
	}
	body := message.raw[message.body:]
	parts := splitParts(body, params["boundary"])
	if len(parts) != 2 {
		return entity{}, fmt.Errorf("a signed message has two parts, not %d", len(parts))
	}
	signed := body[parts[0][0]:parts[0][1]]
	p7s := parseEntity(body[parts[1][0]:parts[1][1]])
	der, err := decodeBody(p7s.raw[p7s.body:], p7s.get("Content-Transfer-Encoding"))
	if err != nil {
		return entity{}, err
	}
	cms, err := pkcs7.Parse(der)
	if err != nil {
		return entity{}, fmt.Errorf("signature: %w", err)
	}
	cms.Content = signed
	roots := x509.NewCertPool()
	roots.AddCert(n.ca.cert)
	if err := cms.VerifyWithChain(roots); err != nil {
		return entity{}, fmt.Errorf("signature: %w", err)
	}
	signer := cms.GetOnlySigner()
	from, err := message.addresses("From")
	if err != nil {
		return entity{}, err
	}
	if signer == nil || len(from) != 1 || !containsFold(signer.EmailAddresses, from[0]) {
		return entity{}, errors.New("the signer is not the address in From")
	}
	return parseEntity(signed), nil
}
