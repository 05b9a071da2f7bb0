package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// reference is the time of verification of an ordinary scenario.
var reference = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// scenario is one vector before it is written.
type scenario struct {
	name, comment, grade string
	kind, code           string
	warnings             []string
	legacyAllowed        bool
	now, signed          time.Time
	openssl, why         string
	expect               map[string]string
	wire                 []byte
	crl                  []byte // a revocation list in DER; nil when the verifier has no source
}

// suite collects the scenarios.
type suite struct {
	*authority
	all []*scenario
}

// post starts a message signed by the ordinary leaf.
func (s *suite) post(tipo string) *post { return newPost(s.leaf, tipo) }

// valid adds a message that follows the rules.
func (s *suite) valid(name, comment string, p *post) *scenario {
	sc := s.verified(name, comment, p)
	sc.grade = "valid"
	return sc
}

// tolerated adds a message that departs from the rules as real providers do, and verifies.
func (s *suite) tolerated(name, comment string, p *post, warnings ...string) *scenario {
	sc := s.verified(name, comment, p)
	sc.grade, sc.warnings = "tolerated", warnings
	return sc
}

func (s *suite) verified(name, comment string, p *post) *scenario {
	sc := s.raw(name, comment, p.message())
	sc.openssl = "ok"
	sc.signed = p.signingTime()
	sc.kind = kindOf(p.data.tipo)
	sc.expect = map[string]string{"from": address}
	if p.data.tipo != anomalia {
		maps.Copy(sc.expect, p.data.fields())
	}
	if p.original != "" {
		sum := sha256.Sum256([]byte(p.original))
		sc.expect["original"] = hex.EncodeToString(sum[:])
	}
	if p.data.tipo == consegna {
		sc.expect["content"] = "concise"
		if p.original != "" {
			sc.expect["content"] = "full"
		}
	}
	return sc
}

// invalid adds a message that is refused with code.
func (s *suite) invalid(name, comment, code string, p *post) *scenario {
	sc := s.refused(name, comment, code, p.message())
	sc.signed = p.signingTime()
	if code == "header-mismatch" {
		// By then the XML has been read, and the kind is that of the XML.
		sc.kind = kindOf(p.data.tipo)
	}
	return sc
}

// refused is like invalid, for a message that was built by hand.
func (s *suite) refused(name, comment, code string, wire []byte) *scenario {
	sc := s.raw(name, comment, wire)
	sc.grade, sc.code, sc.kind = "invalid", code, claimed(wire)
	switch code {
	case "address-mismatch", "no-certdata", "bad-certdata", "header-mismatch":
		sc.openssl = "ok"
	default:
		sc.openssl = "fail"
	}
	return sc
}

func (s *suite) raw(name, comment string, wire []byte) *scenario {
	sc := &scenario{name: name, comment: comment, now: reference, signed: signedAt, wire: wire}
	s.all = append(s.all, sc)
	return sc
}

// ssl sets the verdict of OpenSSL, and the reason if it differs from our verdict on the signature.
func (sc *scenario) ssl(result, why string) *scenario {
	sc.openssl, sc.why = result, why
	return sc
}

// at sets the time of verification.
func (sc *scenario) at(now time.Time) *scenario {
	sc.now = now
	return sc
}

// warn sets the warnings.
func (sc *scenario) warn(warnings ...string) *scenario {
	sc.warnings = warnings
	return sc
}

// legacy turns the legacy policy on.
func (sc *scenario) legacy() *scenario {
	sc.legacyAllowed = true
	return sc
}

// want changes expected fields; an empty value drops one.
func (sc *scenario) want(pairs ...string) *scenario {
	for pair := range slices.Chunk(pairs, 2) {
		sc.expect[pair[0]] = pair[1]
	}
	return sc
}

// signingTime returns the time at which OpenSSL checks the certificate: that of the
// signature, or signedAt if it has none.
func (p *post) signingTime() time.Time {
	if p.sig.time.IsZero() {
		return signedAt
	}
	return p.sig.time
}

// claimed returns the kind that the header claims: by X-Ricevuta, or else by X-Trasporto, or else none.
func claimed(wire []byte) string {
	head, _, _ := bytes.Cut(bytes.ReplaceAll(wire, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	for _, name := range []string{"X-Ricevuta", "X-Trasporto"} {
		for line := range strings.SplitSeq(string(head), "\n") {
			if !named(name)(line) {
				continue
			}
			value := strings.TrimSpace(line[len(name)+1:])
			if name == "X-Trasporto" && value == "errore" {
				value = anomalia
			}
			return kindOf(value)
		}
	}
	return "none"
}

var nameRule = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// write writes each scenario to its file in dir.
func (s *suite) write(dir string) error {
	seen := map[string]bool{}
	for _, sc := range s.all {
		if !nameRule.MatchString(sc.name) || seen[sc.name] {
			return fmt.Errorf("name %q is malformed or used twice", sc.name)
		}
		seen[sc.name] = true
		if err := os.WriteFile(filepath.Join(dir, sc.name+".vec"), sc.bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// bytes renders a vector file.
func (sc *scenario) bytes() []byte {
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	line("comment", sc.comment)
	line("grade", sc.grade)
	line("kind", sc.kind)
	line("code", sc.code)
	line("warnings", strings.Join(sc.warnings, " "))
	if sc.legacyAllowed {
		line("legacy", "yes")
	}
	line("now", sc.now.Format(time.RFC3339))
	line("signed", sc.signed.Format(time.RFC3339))
	line("crl", base64.StdEncoding.EncodeToString(sc.crl))
	line("openssl", sc.openssl)
	line("openssl-why", sc.why)
	for _, name := range slices.Sorted(maps.Keys(sc.expect)) {
		line("expect-"+name, sc.expect[name])
	}
	b.WriteByte('\n')
	b.Write(sc.wire)
	return b.Bytes()
}
