package dossier

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/header"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/receipt"
)

// Proof is the verdict on one message of a dossier. File is the name of the message in the
// dossier. Anchor is the SHA-256 of the public key that issued the signer's certificate.
// The warning expired-now is left out, since it depends on the day of reading.
type Proof struct {
	// Number identifies the proof in the page and the timeline, from 1; 0 if the message is
	// not proven.
	Number int `json:"number"`
	receipt.Report
	FileSHA256        string               `json:"fileSHA256"`
	Certificate       string               `json:"certificate"`       // the file with the signer's certificate; "" if the message is not proven
	CertificateIssuer string               `json:"certificateIssuer"` // the common name of the certificate's issuer
	Legacy            bool                 `json:"legacy"`            // the message passed under the legacy policy only
	HashReading       receipt.HashReading  `json:"hashReading"`       // what a brief receipt hashes; "" for others
	Differences       []receipt.Difference `json:"differences"`       // how the delivered content differs from the original
}

// message is a candidate that was judged.
type message struct {
	item
	proof  Proof
	kind   envelope.Kind
	key    envelope.Digest
	signer *x509.Certificate
	at     time.Time      // the certified time; the signing time of an anomaly envelope, which certifies nothing
	fact   pec.NoticeFact // of a proven notice
	head   header.Header  // of ordinary mail
	files  []Attachment   // in the message that a proven transport envelope carries
	code   envelope.Code  // why the message is not proven; "" if it is
}

// maxHeader is the longest header of an ordinary message that is read, in bytes.
const maxHeader = 1 << 20

// judge reads a message and checks whether it is proven.
func (t *trust) judge(ctx context.Context, c candidate) (*message, error) {
	it, s, closeAll, err := spooled(ctx, c.open)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	it.name = c.name
	out := &message{item: it}
	m, openErr := envelope.Open(ctx, io.NewSectionReader(s, 0, s.Size()), t.verifier)
	report, err := receipt.NewReport("", m, openErr)
	if err != nil {
		return nil, fmt.Errorf("dossier: judging a message: %w", err)
	}
	report.Warnings = slices.DeleteFunc(report.Warnings, func(w envelope.Warning) bool { return w == envelope.WarningExpiredNow })
	out.proof = Proof{Report: report, FileSHA256: envelope.Digest(it.sum).String(), Differences: []receipt.Difference{}}
	if failed, ok := errors.AsType[*envelope.VerifyError](openErr); ok {
		out.kind, out.key, out.code = failed.Findings.Kind, failed.Findings.Digest, failed.Code
		if out.kind == envelope.KindNone {
			out.head, _, err = header.Read(s, maxHeader)
			if errors.Is(err, header.ErrTooLarge) {
				err = nil
			}
		}
		return out, err
	}
	defer m.Close()
	out.kind, out.key, out.signer, out.at = m.Kind, m.Digest, m.Signer, m.SigningTime
	if m.CertData != nil {
		out.at = m.CertData.Time
	}
	out.proof.Certificate = certificateFile(m.Signer)
	out.proof.CertificateIssuer = m.Signer.Issuer.CommonName
	out.proof.Legacy = m.Legacy
	switch {
	case m.Kind.IsNotice():
		n, err := receipt.New(m)
		if err != nil {
			return nil, err
		}
		out.fact = pec.NewNoticeFact(n, time.Time{})
	case m.Kind == envelope.KindTransport:
		original, err := m.Original()
		if err != nil {
			return out, nil // the envelope carries no message
		}
		if out.files, err = attachments(original); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// certificateFile returns the name of the file with a certificate.
func certificateFile(c *x509.Certificate) string {
	return "certificates/" + envelope.Digest(sha256.Sum256(c.Raw)).String() + ".cer"
}

// compare compares what a delivery receipt carries with the original.
func (t *trust) compare(ctx context.Context, m *message, original *io.SectionReader) error {
	r, err := m.open(ctx)
	if err != nil {
		return fmt.Errorf("dossier: opening a message: %w", err)
	}
	defer r.Close()
	n, err := receipt.Open(ctx, r, t.verifier)
	if err != nil {
		return fmt.Errorf("%w: %w", errChanged, err)
	}
	defer n.Close()
	d, ok := n.(*receipt.Delivery)
	if !ok || d.Evidence().Digest != m.key {
		return errChanged
	}
	content, err := receipt.CheckContent(original, d)
	if err != nil {
		return err
	}
	m.fact.Content = content
	m.proof.Content, m.proof.HashReading = string(content.Result), content.Reading
	m.proof.Differences = append(m.proof.Differences, content.Differences...)
	return nil
}
