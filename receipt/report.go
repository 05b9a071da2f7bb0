package receipt

import (
	"errors"
	"time"

	"github.com/gopec/gopec/envelope"
)

// ReportSchema identifies the form of Report. It changes with any change that breaks
// programs that read it.
const ReportSchema = "https://github.com/gopec/gopec/report/v1"

// Report is the verdict on one message, as JSON for other programs. If Verified is false,
// the values are mere claims. Values that do not apply are "" or an empty list.
type Report struct {
	Schema   string             `json:"schema"`
	File     string             `json:"file"`     // where the message was read from
	Kind     string             `json:"kind"`     // envelope.Kind; "none" when the message does not even claim to be PEC
	Verified bool               `json:"verified"` // the message is proven
	Failure  envelope.Code      `json:"failure"`  // the check that failed; "" when verified
	Warnings []envelope.Warning `json:"warnings"`

	MessageID     string            `json:"messageID"` // msgid: the sender's Message-ID, without angle brackets
	CertID        string            `json:"certID"`
	OwnMessageID  string            `json:"ownMessageID"` // the outer Message-ID; unsigned
	Sender        string            `json:"sender"`
	Subject       string            `json:"subject"`
	Recipient     string            `json:"recipient"` // consegna
	Recipients    []ReportRecipient `json:"recipients"`
	TakenInCharge []string          `json:"tookCharge"` // ricezione

	Reason    envelope.FailureReason `json:"reason"` // errore
	Cause     envelope.Cause         `json:"cause"`
	Code      string                 `json:"code"`      // enhanced status code in errorText
	ErrorText string                 `json:"errorText"` // errore-esteso
	Detail    Detail                 `json:"detail"`    // for a verified delivery receipt

	Time        string              `json:"time"`        // the certified time; RFC 3339, in the provider's offset
	SigningTime string              `json:"signingTime"` // RFC 3339, UTC
	Provider    string              `json:"provider"`    // gestore-emittente
	Signer      string              `json:"signer"`      // the address in the signer's certificate
	Anchor      string              `json:"anchor"`      // the name of the anchor that issued that certificate
	Revocation  envelope.Revocation `json:"revocation"`  // envelope.RevocationUnchecked when the check was not reached
	Content     string              `json:"content"`     // a ContentResult; NewReport sets "unchecked"
	SHA256      string              `json:"sha256"`      // envelope.Digest, in hexadecimal
}

// ReportRecipient is one recipient in a Report: one element destinatari.
type ReportRecipient struct {
	Address   string `json:"address"`
	Certified bool   `json:"certified"`
}

// NewReport returns the report on one file. m and err are what envelope.Open returned for
// it. An err that is not an *envelope.VerifyError is not a verdict; NewReport returns it.
// Without err, an m that was not made by envelope.Open is ErrNotProven.
func NewReport(file string, m *envelope.Message, err error) (Report, error) {
	r := Report{
		Schema:        ReportSchema,
		File:          file,
		Warnings:      []envelope.Warning{},
		Recipients:    []ReportRecipient{},
		TakenInCharge: []string{},
		Revocation:    envelope.RevocationUnchecked,
		Content:       "unchecked",
	}
	var facts envelope.Findings
	var ve *envelope.VerifyError
	switch {
	case err == nil && !m.Proven():
		return Report{}, ErrNotProven
	case err == nil:
		r.Verified = true
		facts = m.Findings
		if m.Kind == envelope.KindDelivery {
			r.Detail = detail(m)
		}
	case errors.As(err, &ve):
		r.Failure = ve.Code
		facts = ve.Findings
	default:
		return Report{}, err
	}
	r.addFacts(facts)
	return r, nil
}

func (r *Report) addFacts(f envelope.Findings) {
	r.Kind = f.Kind.String()
	r.Warnings = append(r.Warnings, f.Warnings...)
	r.OwnMessageID = f.OwnMessageID
	r.Anchor = f.Anchor
	if f.Revocation != "" {
		r.Revocation = f.Revocation
	}
	r.SHA256 = f.Digest.String()
	if !f.SigningTime.IsZero() {
		r.SigningTime = f.SigningTime.UTC().Format(time.RFC3339)
	}
	if f.Signer != nil && len(f.Signer.EmailAddresses) > 0 {
		r.Signer = f.Signer.EmailAddresses[0]
	}
	if f.CertData != nil {
		r.addCertData(f.CertData)
	}
}

func (r *Report) addCertData(d *envelope.CertData) {
	failure := d.Failure()
	r.MessageID, r.CertID = d.MessageID, d.CertID
	r.Sender, r.Subject, r.Recipient = d.Sender, d.Subject, d.Recipient
	r.Provider = d.Provider
	r.TakenInCharge = append(r.TakenInCharge, d.TakenInCharge...)
	for _, to := range d.Recipients {
		r.Recipients = append(r.Recipients, ReportRecipient{to.Address, to.Certified})
	}
	r.Reason, r.ErrorText = d.Reason(), d.ErrorText
	r.Cause, r.Code = failure.Cause, failure.Code
	if !d.Time.IsZero() {
		r.Time = d.Time.Format(time.RFC3339)
	}
}
