package envelope

import (
	"bufio"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Index is the directory of PEC providers (indice dei gestori, IGPEC): the certificates
// that each provider signs with, and the mail domains it manages (RFC 6109, 4.5). Only
// providers can download it, so ParseIndex reads a copy.
type Index struct {
	certificates map[string]string // SHA-1 of a certificate, lower-case hex, to provider name
	domains      map[string]string // managed domain, lower case, to provider name
}

// maxLDIFLine is the longest unfolded line of an LDIF file read, in bytes.
const maxLDIFLine = 1 << 20

// ParseIndex reads the directory in LDIF (RFC 2849; RFC 6109, 4.5.10). It does not read
// the signed form that providers download (.p7m): verify and unwrap that first. A file
// with an entry that has no providerName, or without any managed domain, is an error.
func ParseIndex(r io.Reader) (*Index, error) {
	x := &Index{certificates: map[string]string{}, domains: map[string]string{}}
	var hashes, domains []string
	var provider string
	nameless := false
	endEntry := func() {
		nameless = nameless || provider == "" && len(hashes)+len(domains) > 0
		for _, h := range hashes {
			x.certificates[lower(h)] = provider
		}
		for _, d := range domains {
			x.domains[lower(d)] = provider
		}
		hashes, domains, provider = nil, nil, ""
	}
	err := readLDIF(r, func(name, value string) {
		switch name {
		case "dn":
			endEntry()
		case "providername":
			provider = value
		case "providercertificatehash":
			hashes = append(hashes, value)
		case "manageddomains":
			domains = append(domains, value)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("envelope: provider index: %w", err)
	}
	endEntry()
	if nameless || len(x.domains) == 0 {
		return nil, errors.New("envelope: provider index: an entry without providerName, or no managedDomains in the whole file")
	}
	return x, nil
}

// readLDIF calls attribute for each attribute, with its name in lower case and without
// options. A line that begins with one space continues the line before it.
func readLDIF(r io.Reader, attribute func(name, value string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLDIFLine)
	var current strings.Builder
	flush := func() error {
		line := current.String()
		current.Reset()
		name, value, found := strings.Cut(line, ":")
		if !found || strings.HasPrefix(line, "#") {
			return nil
		}
		name, _, _ = strings.Cut(strings.ToLower(name), ";")
		if encoded, ok := strings.CutPrefix(value, ":"); ok {
			b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
			if err != nil {
				return fmt.Errorf("attribute %s: %w", name, err)
			}
			value = string(b)
		}
		attribute(name, strings.TrimSpace(value))
		return nil
	}
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if rest, folded := strings.CutPrefix(line, " "); folded {
			if current.Len()+len(rest) > maxLDIFLine {
				return bufio.ErrTooLong
			}
			current.WriteString(rest)
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		current.WriteString(line)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return flush()
}

// IsPEC reports whether a provider manages a mail domain, so that mail to it is
// certified. Domains are compared whole, ignoring case (RFC 6109, 2.2.1): a subdomain of
// a managed domain is not managed.
func (x *Index) IsPEC(domain string) bool {
	_, managed := x.domains[lower(domain)]
	return managed
}

// provider returns the name of the provider that signs with a certificate: RFC 6109, 4.5.1.
func (x *Index) provider(leaf *x509.Certificate) (name string, found bool) {
	sum := sha1.Sum(leaf.Raw)
	name, found = x.certificates[hex.EncodeToString(sum[:])]
	return name, found
}

// checkIndex requires that the index, if there is one, lists the signer, and that the
// signer manages the domain it certifies something about: RFC 6109, 7.
func (c *check) checkIndex() error {
	x := c.verifier.opts.Index
	if x == nil {
		return nil
	}
	name, found := x.provider(c.findings.Signer)
	if !found {
		return failed(CodeUntrusted, "the certificate of %q is not in the provider index", c.findings.Signer.Subject)
	}
	data := c.findings.CertData
	if data == nil {
		return nil
	}
	var addresses []string // one of them must have a domain of the provider
	switch data.Kind {
	case KindAcceptance, KindNonAcceptance, KindTransport:
		addresses = []string{data.Sender}
	case KindDelivery:
		addresses = []string{data.Recipient}
	case KindNonDelivery, KindDeliveryDelay:
		// The provider of either side may report this: RFC 6109, 3.1.6, 3.2.4 and 3.3.3.
		addresses = []string{data.Sender, data.Recipient}
	default:
		return nil
	}
	for _, address := range addresses {
		domain := address[strings.LastIndexByte(address, '@')+1:]
		if manager, managed := x.domains[lower(domain)]; managed && manager == name {
			return nil
		}
	}
	return failed(CodeUntrusted, "provider %q does not manage the domain of %q in the provider index", name, addresses)
}
