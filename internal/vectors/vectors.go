// Package vectors holds conformance vectors for verifying PEC messages: one scenario a file, with the verdict that a
// verifier must reach. The program in generate writes the files; it shares no code with the parsers of this module.
//
// A file of testdata is a text header of "key: value" lines, an empty line, and the message as it came over the wire:
//
//	comment       what the scenario is about
//	grade         valid, tolerated or invalid
//	kind          what the message is; for an invalid one what its header claims
//	code          the check that fails, of an invalid message only
//	warnings      all warnings of a message that verifies, separated by blanks
//	legacy        yes when the legacy policy is on
//	now           the instant of verification
//	crl           the one revocation list of the verifier, DER in base64; without it the verifier has no source
//	signed        the instant at which OpenSSL is to judge the certificate
//	openssl       ok, fail or unreadable: what "openssl cms -verify" says
//	openssl-why   the reason where that differs from our verdict on the signature
//	expect-NAME   a fact that the verifier must find
//
// The facts are: from (the From address, as written), sender, replyTo, subject, provider, certID, messageID (without angle
// brackets), recipient (consegna), recipients (address:certified or address:ordinary, separated by blanks),
// takenCharge (ricezione, separated by blanks), requested and content (full, brief or concise: asked for and found),
// errorToken (errore), detail (errore-esteso), code and cause (of a failure), unknownToken (a tipo without a kind),
// time (of the event, RFC 3339) and original (SHA-256 of postacert.eml in CRLF form, transfer encoding undone).
// A fact without a line is not stated, save that no message has facts which its kind lacks.
package vectors

import (
	"bytes"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

//go:generate go run ./generate -dir testdata

//go:embed testdata
var files embed.FS

// Count is the number of vectors. A set of another size is a mistake in the set.
const Count = 792

// Grade says how a message stands to the rules.
type Grade string

// The three grades.
const (
	Valid     Grade = "valid"     // follows the rules and verifies
	Tolerated Grade = "tolerated" // departs from the rules as real messages do, and verifies
	Invalid   Grade = "invalid"   // must be refused with the vector's Code
)

// Vector is one scenario.
type Vector struct {
	Name    string
	Comment string
	Grade   Grade
	// Kind is acceptance, non-acceptance, take-in-charge, delivery, non-delivery, delivery-delay, virus-detection,
	// transport, anomaly, unknown or none. An invalid message has the kind that X-Ricevuta claims, else X-Trasporto;
	// with the code header-mismatch it has the kind of its certification data.
	Kind string
	// Code is the check that fails; empty for a message that verifies.
	Code string
	// Warnings are those of a message that verifies. Of an invalid one nothing is stated.
	Warnings []string
	// Legacy tells that the verifier runs with the legacy policy on.
	Legacy bool
	// Now is the verifier's clock, Signed the instant that "openssl cms -verify -attime" is to use.
	Now, Signed time.Time
	// Fields are the facts to find; the package comment lists their names.
	Fields map[string]string
	// OpenSSL is ok, fail or unreadable. OpenSSLWhy is set where our verdict on the signature stage is another.
	OpenSSL, OpenSSLWhy string
	// CRL is the revocation list to judge by, in DER; nil when the verifier has no source of revocations.
	CRL []byte
	// Message is the whole message.
	Message []byte
}

// SignatureHolds tells whether our verdict on checks 1 to 4, from the structure to the signer's certificate, is good.
func (v Vector) SignatureHolds() bool {
	switch v.Code {
	case "", "address-mismatch", "no-certdata", "bad-certdata", "header-mismatch":
		return true
	default:
		return false
	}
}

// Anchors returns the certificate of the CA that issued the providers' certificates, in PEM. It is the one anchor.
func Anchors() []byte {
	anchor, err := files.ReadFile("testdata/ca.pem")
	if err != nil {
		return nil // the embedded file exists in every build
	}
	return anchor
}

// Load returns all vectors by name. The error names the file that breaks the format; an empty set is an error too.
func Load() ([]Vector, error) {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	var all []Vector
	for _, entry := range entries {
		name, found := strings.CutSuffix(entry.Name(), ".vec")
		if !found {
			continue
		}
		data, err := files.ReadFile(path.Join("testdata", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		v, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("vectors: %s: %w", entry.Name(), err)
		}
		v.Name = name
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil, errors.New("vectors: the set is empty")
	}
	return all, nil
}

func parse(data []byte) (Vector, error) {
	v := Vector{Fields: map[string]string{}}
	head, message, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		return v, errors.New("no empty line after the header")
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, found := strings.Cut(line, ": ")
		if !found || value == "" {
			return v, fmt.Errorf("line %q is not key and value", line)
		}
		if seen[key] {
			return v, fmt.Errorf("key %q occurs twice", key)
		}
		seen[key] = true
		if err := v.set(key, value); err != nil {
			return v, err
		}
	}
	v.Message = message
	return v, v.check()
}

func (v *Vector) set(key, value string) (err error) {
	switch key {
	case "comment":
		v.Comment = value
	case "grade":
		v.Grade = Grade(value)
	case "kind":
		v.Kind = value
	case "code":
		v.Code = value
	case "warnings":
		v.Warnings = strings.Fields(value)
	case "legacy":
		if value != "yes" {
			return fmt.Errorf("legacy is %q", value)
		}
		v.Legacy = true
	case "now":
		v.Now, err = time.Parse(time.RFC3339, value)
	case "signed":
		v.Signed, err = time.Parse(time.RFC3339, value)
	case "crl":
		v.CRL, err = base64.StdEncoding.DecodeString(value)
	case "openssl":
		v.OpenSSL = value
	case "openssl-why":
		v.OpenSSLWhy = value
	default:
		name, found := strings.CutPrefix(key, "expect-")
		if !found || !slices.Contains(facts(), name) {
			return fmt.Errorf("unknown key %q", key)
		}
		v.Fields[name] = value
	}
	return err
}

// check holds the closed lists and what the keys demand of each other.
func (v *Vector) check() error {
	for _, rule := range []struct {
		broken bool
		what   string
	}{
		{v.Comment == "", "no comment"},
		{v.Now.IsZero() || v.Signed.IsZero(), "no instant of verification or signing"},
		{!slices.Contains([]Grade{Valid, Tolerated, Invalid}, v.Grade), "unknown grade"},
		{!slices.Contains(kinds(), v.Kind), "unknown kind"},
		{(v.Grade == Invalid) != (v.Code != ""), "a code belongs to the grade invalid and to no other"},
		{v.Code != "" && !slices.Contains(codes(), v.Code), "unknown code"},
		{v.Grade == Invalid && len(v.Warnings)+len(v.Fields) > 0, "nothing is expected of what is refused"},
		{!subset(v.Warnings, warnings()), "unknown warning"},
		{!slices.Contains([]string{"ok", "fail", "unreadable"}, v.OpenSSL), "unknown verdict of OpenSSL"},
		{(v.SignatureHolds() != (v.OpenSSL == "ok")) != (v.OpenSSLWhy != ""), "a reason belongs to a disagreement with OpenSSL and to nothing else"},
		{len(v.Message) == 0, "no message"},
	} {
		if rule.broken {
			return errors.New(rule.what)
		}
	}
	return nil
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

func kinds() []string {
	return []string{"acceptance", "non-acceptance", "take-in-charge", "delivery", "non-delivery", "delivery-delay",
		"virus-detection", "transport", "anomaly", "unknown", "none"}
}

func codes() []string {
	return []string{"unsigned", "malformed", "too-large", "bad-cms", "signer-count", "no-signer-certificate", "attributes",
		"weak-algorithm", "digest-mismatch", "bad-signature", "untrusted", "legacy", "expired", "future", "wrong-usage", "revoked",
		"address-mismatch", "no-certdata", "bad-certdata", "header-mismatch"}
}

func warnings() []string {
	return []string{"sha1-digest", "ber", "lf-storage", "time-skew", "expired-now", "header-absent",
		"revocation-unknown", "further-parts", "revoked-later"}
}

func facts() []string {
	return []string{"from", "sender", "replyTo", "subject", "provider", "certID", "messageID", "recipient", "recipients",
		"takenCharge", "requested", "content", "errorToken", "detail", "code", "cause", "unknownToken", "time", "original"}
}
