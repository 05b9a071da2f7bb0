// Package vectors holds conformance vectors for verifying PEC messages. Each file is one scenario, with the verdict that
// a verifier must reach. The program in generate writes the files; it shares no code with the parsers of this module.
//
// A file of testdata is a text header of "key: value" lines, an empty line, and the message as it came over the wire:
//
//	comment       what the scenario is about
//	grade         valid, tolerated or invalid
//	kind          the kind of the message; for an invalid message the kind that its header claims
//	code          the check that fails; only for an invalid message
//	warnings      all warnings of a message that verifies, separated by blanks
//	legacy        yes when the legacy policy is on
//	now           the time of verification
//	crl           the one revocation list of the verifier, DER in base64; without it the verifier has no source
//	signed        the time at which OpenSSL checks the certificate
//	openssl       the verdict of "openssl cms -verify": ok, fail or unreadable
//	openssl-why   the reason where that verdict differs from ours on the signature
//	expect-NAME   a fact that the verifier must find
//
// The facts are: from (the From address, as written), sender, replyTo, subject, provider, certID, messageID (without angle
// brackets), recipient (consegna), recipients (address:certified or address:ordinary, separated by blanks),
// takenCharge (ricezione, separated by blanks), requested and content (full, brief or concise: asked for and found),
// errorToken (errore), detail (errore-esteso), code and cause (of a failure), unknownToken (a tipo without a kind),
// time (of the event, RFC 3339) and original (SHA-256 of postacert.eml in CRLF form, transfer encoding undone).
// A fact without a line may have any value, except that a message has no facts that its kind lacks.
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

// Count is the number of vectors. A set of any other size is wrong.
const Count = 792

// Grade says whether a message follows the rules.
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
	// transport, anomaly, unknown or none. An invalid message has the kind that X-Ricevuta claims, or else X-Trasporto.
	// With the code header-mismatch it has the kind of its certification data.
	Kind string
	// Code is the check that fails; "" for a message that verifies.
	Code string
	// Warnings are all warnings of a message that verifies; empty for an invalid message, which may have any.
	Warnings []string
	// Legacy reports whether the verifier runs with the legacy policy on.
	Legacy bool
	// Now is the verifier's clock. Signed is the time for "openssl cms -verify -attime".
	Now, Signed time.Time
	// Fields are the facts that the verifier must find. The package comment lists their names.
	Fields map[string]string
	// OpenSSL is ok, fail or unreadable. OpenSSLWhy is set where it differs from SignatureHolds.
	OpenSSL, OpenSSLWhy string
	// CRL is the verifier's revocation list, in DER; nil when the verifier has no source of revocations.
	CRL []byte
	// Message is the whole message.
	Message []byte
}

// SignatureHolds reports whether the message passes our checks of the structure, the signature and the signer's
// certificate. Later checks may still fail.
func (v Vector) SignatureHolds() bool {
	switch v.Code {
	case "", "address-mismatch", "no-certdata", "bad-certdata", "header-mismatch":
		return true
	default:
		return false
	}
}

// Anchors returns the one anchor, in PEM: the certificate of the CA that issued the providers' certificates.
func Anchors() []byte {
	anchor, err := files.ReadFile("testdata/ca.pem")
	if err != nil {
		return nil // cannot happen: the file is embedded
	}
	return anchor
}

// Load returns all vectors, sorted by name. A file that breaks the format is an error that names it; an empty set is an
// error too.
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

// parse reads the content of a file.
func parse(data []byte) (Vector, error) {
	v := Vector{Fields: map[string]string{}}
	head, message, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		return v, errors.New("there is no empty line after the header")
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, found := strings.Cut(line, ": ")
		if !found || value == "" {
			return v, fmt.Errorf(`line %q does not have the form "key: value"`, line)
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

// set sets the field that a line of the header is about.
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
			return fmt.Errorf("legacy is %q: write yes, or leave the line out", value)
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

// check checks that values are in their closed sets, and that the keys agree with each other.
func (v *Vector) check() error {
	for _, rule := range []struct {
		broken bool
		what   string
	}{
		{v.Comment == "", "comment is missing"},
		{v.Now.IsZero() || v.Signed.IsZero(), "now or signed is missing"},
		{!slices.Contains([]Grade{Valid, Tolerated, Invalid}, v.Grade), fmt.Sprintf("unknown grade %q", v.Grade)},
		{!slices.Contains(kinds(), v.Kind), fmt.Sprintf("unknown kind %q", v.Kind)},
		{(v.Grade == Invalid) != (v.Code != ""), "the grade invalid must have a code, and the other grades must not"},
		{v.Code != "" && !slices.Contains(codes(), v.Code), fmt.Sprintf("unknown code %q", v.Code)},
		{v.Grade == Invalid && len(v.Warnings)+len(v.Fields) > 0, "an invalid message must have no warnings and no facts"},
		{!subset(v.Warnings, warnings()), fmt.Sprintf("unknown warning in %q", v.Warnings)},
		{!slices.Contains([]string{"ok", "fail", "unreadable"}, v.OpenSSL), fmt.Sprintf("openssl is %q: write ok, fail or unreadable", v.OpenSSL)},
		{(v.SignatureHolds() != (v.OpenSSL == "ok")) != (v.OpenSSLWhy != ""), "openssl-why must be there if openssl differs from our verdict, and only then"},
		{len(v.Message) == 0, "the message is missing"},
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
