package envelope_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
)

func extension(critical bool, value []byte, oid ...int) pkix.Extension {
	return pkix.Extension{Id: oid, Critical: critical, Value: value}
}

// directoryName returns GeneralNames with one directory name (RFC 5280, 4.2.1.6).
func directoryName(t *testing.T, rawName []byte) []byte {
	t.Helper()
	name, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: rawName})
	require.NoError(t, err)
	names, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: name})
	require.NoError(t, err)
	return names
}

// RFC 5280, 5.2 and 5.3: extensions change what an entry and a list mean.
func TestRevocationEntries(t *testing.T) {
	a := newAuthority(t)
	raw := a.deliveryOf("")
	now := time.Now()
	before, after, later := now.Add(-time.Hour), now.Add(time.Hour), now.Add(2*time.Hour)
	invalidSince := func(critical bool, at time.Time) pkix.Extension {
		der, err := asn1.MarshalWithParams(at.UTC(), "generalized")
		require.NoError(t, err)
		return extension(critical, der, 2, 5, 29, 24)
	}
	strange := pkix.Name{CommonName: "Stranger CA"}
	stranger, err := asn1.Marshal(strange.ToRDNSequence())
	require.NoError(t, err)
	issuerIs := func(rawName []byte) pkix.Extension {
		return extension(true, directoryName(t, rawName), 2, 5, 29, 29)
	}
	// The same name, encoded as another type of string.
	named, err := asn1.Marshal(pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("Test CA")}}}})
	require.NoError(t, err)
	unknown, ignored := extension(true, []byte{5, 0}, 1, 2, 3), extension(false, []byte{5, 0}, 1, 2, 3)
	point := func(der ...byte) []pkix.Extension {
		return []pkix.Extension{extension(true, der, 2, 5, 29, 28)}
	}
	indirect := point(0x30, 3, 0x84, 1, 0xff)
	delta := []pkix.Extension{extension(true, []byte{2, 1, 1}, 2, 5, 29, 27)}
	other := func(extensions ...pkix.Extension) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: big.NewInt(5), RevocationTime: before, ExtraExtensions: extensions}
	}
	const hold, remove = 6, 8
	unreadableTime := extension(false, []byte{5, 0}, 2, 5, 29, 24)
	for name, c := range map[string]struct {
		want  envelope.Revocation
		lists []*x509.RevocationList
	}{
		"invalid before signing, revoked after":     {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(after, 1, invalidSince(false, before)))}},
		"the same, critical":                        {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(after, 1, invalidSince(true, before)))}},
		"invalid after signing":                     {envelope.RevocationLater, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(later, 1, invalidSince(false, after)))}},
		"revoked before, said to be invalid after":  {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1, invalidSince(false, after)))}},
		"invalid since nobody can read when":        {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(after, 1, unreadableTime))}},
		"the same, revoked before":                  {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1, unreadableTime))}},
		"unreadable beside a list that is silent":   {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(after, nil), a.crlOf(later, nil, a.crlEntry(after, 1, unreadableTime))}},
		"two times since when it is invalid":        {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(after, 1, invalidSince(false, after), invalidSince(false, before)))}},
		"a known and an unknown critical extension": {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1, unknown))}},
		"of another entry before it":                {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil, other(unknown), a.crlEntry(before, 1))}},
		"of another entry after it":                 {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1), other(unknown))}},
		"of another entry, the leaf is not listed":  {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil, other(unknown))}},
		"beside a list that is silent":              {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil), a.crlOf(later, nil, a.crlEntry(before, 1, unknown))}},
		"beside a list that can be read":            {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1)), a.crlOf(later, nil, a.crlEntry(before, 1, unknown))}},
		"an extension that may be ignored":          {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1, ignored))}},
		"one that may be, of another entry":         {envelope.RevocationGood, []*x509.RevocationList{a.crlOf(later, nil, other(ignored))}},
		"an unknown critical extension of the list": {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, []pkix.Extension{unknown}, a.crlEntry(before, 1))}},
		"an unreadable scope":                       {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, point(4, 0), a.crlEntry(before, 1))}},
		"a scope and more":                          {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, point(0x30, 0, 5, 0), a.crlEntry(before, 1))}},
		"a scope of some reasons":                   {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, point(0x30, 4, 0x83, 2, 0x06, 0x40), a.crlEntry(before, 1))}},
		"a scope of attribute certificates":         {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, point(0x30, 3, 0x85, 1, 0xff), a.crlEntry(before, 1))}},
		"attribute certificates too":                {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, point(0x30, 3, 0x85, 1, 0), a.crlEntry(before, 1))}},
		"attribute certificates perhaps":            {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, point(0x30, 2, 0x85, 0), a.crlEntry(before, 1))}},
		"an unknown restriction":                    {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, point(0x30, 3, 0x86, 1, 0xff), a.crlEntry(before, 1))}},
		"a delta that names it":                     {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, delta, a.crlEntry(before, 1))}},

		"indirect, of a stranger":                  {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1, issuerIs(stranger)))}},
		"indirect, of a stranger named before":     {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, indirect, other(issuerIs(stranger)), a.crlEntry(before, 1))}},
		"the same, beside a list that is silent":   {envelope.RevocationGood, []*x509.RevocationList{a.crlOf(later, nil), a.crlOf(later, indirect, other(issuerIs(stranger)), a.crlEntry(before, 1))}},
		"indirect, of the issuer":                  {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1, issuerIs(a.cert.RawSubject)))}},
		"indirect, of the issuer, in UTF-8":        {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1, issuerIs(named)))}},
		"indirect, of the issuer by default":       {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1), other(issuerIs(stranger)))}},
		"indirect, of the issuer again":            {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, indirect, other(issuerIs(stranger)), a.crlEntry(before, 1, issuerIs(a.cert.RawSubject)))}},
		"of a stranger and of the issuer":          {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1, issuerIs(stranger)), a.crlEntry(before, 1, issuerIs(a.cert.RawSubject)))}},
		"indirect, of an unreadable issuer":        {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1, extension(true, []byte{5, 0}, 2, 5, 29, 29)))}},
		"indirect, of an issuer that has no name":  {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, indirect, a.crlEntry(before, 1, extension(true, []byte{0x30, 0}, 2, 5, 29, 29)))}},
		"indirect and silent":                      {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, indirect)}},
		"an issuer where the list is not indirect": {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, 1, issuerIs(stranger)))}},

		"on hold":                                     {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, hold))}},
		"on hold, then silent":                        {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, hold)), a.crlOf(later, nil)}},
		"removed by a delta":                          {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, delta, a.crlEntry(before, remove))}},
		"removed by a list":                           {envelope.RevocationGood, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, remove))}},
		"on hold, then removed":                       {envelope.RevocationUnknown, []*x509.RevocationList{a.crlOf(later, delta, a.crlEntry(before, remove)), a.crlOf(after, nil, a.crlEntry(before, hold))}},
		"on hold, then removed, then silent":          {envelope.RevocationGood, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, hold)), a.crlOf(later, delta, a.crlEntry(before, remove)), a.crlOf(later, nil)}},
		"silent, then removed":                        {envelope.RevocationGood, []*x509.RevocationList{a.crlOf(after, nil), a.crlOf(later, delta, a.crlEntry(before, remove))}},
		"on hold, then removed in an unreadable list": {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, hold)), a.crlOf(later, []pkix.Extension{unknown}, a.crlEntry(before, remove))}},
		"removed, then on hold":                       {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, delta, a.crlEntry(before, remove)), a.crlOf(later, nil, a.crlEntry(before, hold))}},
		"revoked for good, then removed":              {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, 1)), a.crlOf(later, delta, a.crlEntry(before, remove))}},
		"a stranger's removed":                        {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, hold)), a.crlOf(later, indirect, a.crlEntry(before, remove, issuerIs(stranger)))}},
		"removed after the leaf expired":              {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(after, nil, a.crlEntry(before, hold)), a.crlOf(now.AddDate(2, 0, 0), delta, a.crlEntry(before, remove))}},
		"removed and revoked in one list":             {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(before, remove), a.crlEntry(before, 1))}},
		"revoked after and before in one list":        {envelope.RevocationRevoked, []*x509.RevocationList{a.crlOf(later, nil, a.crlEntry(after, 1), a.crlEntry(before, 1))}},
	} {
		t.Run(name, func(t *testing.T) {
			v := a.verifier(&envelope.VerifierOptions{Revocation: source(nil, c.lists...)})
			if c.want == envelope.RevocationRevoked {
				require.Equal(t, envelope.CodeRevoked, refused(t, raw, v).Code)
				return
			}
			require.Equal(t, c.want, accepted(t, raw, v).Revocation)
		})
	}
}

func TestRevocation(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	raw := a.deliveryOf("")
	now := time.Now()
	before, after := now.Add(-time.Hour), now.Add(time.Hour)
	partial := func(der ...byte) []pkix.Extension {
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: der}}
	}
	for name, c := range map[string]struct {
		source envelope.RevocationSource
		want   envelope.Revocation
	}{
		"no source":                     {nil, envelope.RevocationUnchecked},
		"not listed":                    {source(nil, a.crl(after, nil)), envelope.RevocationGood},
		"revoked before":                {source(nil, a.crl(after, nil, before)), envelope.RevocationRevoked},
		"revoked before, an old list":   {source(nil, a.crl(before, nil, before)), envelope.RevocationRevoked},
		"revoked after":                 {source(nil, a.crl(after, nil, after)), envelope.RevocationLater},
		"issued before signing":         {source(nil, a.crl(before, nil)), envelope.RevocationUnknown},
		"issued after the leaf expired": {source(nil, a.crl(now.AddDate(2, 0, 0), nil)), envelope.RevocationUnknown},
		"revoked by one of two": {source(nil, a.crl(after, nil, before), a.crl(after.Add(time.Hour), partial(0x30, 3, 0x82, 1, 0xff))),
			envelope.RevocationRevoked},
		"good by one of three":             {source(nil, a.crl(before, nil), nil, a.crl(after, nil)), envelope.RevocationGood},
		"no answer":                        {source(nil), envelope.RevocationUnknown},
		"an error":                         {source(errors.New("unreachable")), envelope.RevocationUnknown},
		"of a stranger of the same name":   {source(nil, stranger.crl(after, nil, before)), envelope.RevocationUnknown},
		"only users' certificates":         {source(nil, a.crl(after, partial(0x30, 3, 0x81, 1, 0xff))), envelope.RevocationGood},
		"only CA certificates":             {source(nil, a.crl(after, partial(0x30, 3, 0x82, 1, 0xff))), envelope.RevocationUnknown},
		"only some reasons":                {source(nil, a.crl(after, partial(0x30, 4, 0x83, 2, 0x06, 0x40))), envelope.RevocationUnknown},
		"an unreadable distribution point": {source(nil, a.crl(after, partial(0x04, 0))), envelope.RevocationUnknown},
		"a delta": {source(nil, a.crl(after, []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}})),
			envelope.RevocationUnknown},
		"an unknown critical extension": {source(nil, a.crl(after, []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}})),
			envelope.RevocationUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			v := a.verifier(&envelope.VerifierOptions{Revocation: c.source})
			if c.want == envelope.RevocationRevoked {
				ve := refused(t, raw, v)
				require.Equal(t, envelope.CodeRevoked, ve.Code)
				require.Equal(t, c.want, ve.Findings.Revocation)
				return
			}
			m := accepted(t, raw, v)
			require.Equal(t, c.want, m.Revocation)
			switch c.want {
			case envelope.RevocationUnknown:
				require.Equal(t, []envelope.Warning{envelope.WarningRevocationUnknown}, m.Warnings)
			case envelope.RevocationLater:
				require.Equal(t, []envelope.Warning{envelope.WarningRevokedLater}, m.Warnings)
			default:
				require.Empty(t, m.Warnings)
			}
		})
	}
}

func TestCRLFiles(t *testing.T) {
	a := newAuthority(t)
	dir, now := t.TempDir(), time.Now()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		return path
	}
	old := write("old.crl", a.crl(now.Add(-time.Hour), nil).Raw)
	covering := write("covering.pem", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: a.crl(now.Add(time.Hour), nil).Raw}))
	late := write("late.crl", a.crl(now.AddDate(2, 0, 0), nil).Raw)
	later := write("revoked.crl", a.crl(now.Add(3*time.Hour), nil, now.Add(2*time.Hour)).Raw)
	both := write("both.pem", append(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: a.crl(now.Add(time.Hour), nil).Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: a.crl(now.Add(3*time.Hour), nil, now.Add(2*time.Hour)).Raw})...))
	for _, c := range []struct {
		files []string
		want  envelope.Revocation
	}{
		{nil, envelope.RevocationUnknown},
		{[]string{old}, envelope.RevocationUnknown},
		{[]string{old, covering, late}, envelope.RevocationGood},
		{[]string{late, covering, old}, envelope.RevocationGood},
		{[]string{covering, later, old}, envelope.RevocationLater},
		{[]string{both}, envelope.RevocationLater},
	} {
		source, err := envelope.ReadCRLs(c.files...)
		require.NoError(t, err)
		m := accepted(t, a.deliveryOf(""), a.verifier(&envelope.VerifierOptions{Revocation: source}))
		require.Equal(t, c.want, m.Revocation, c.files)
	}
	for _, bad := range []string{
		write("bad.crl", []byte("no")), filepath.Join(dir, "absent.crl"), write("cert.pem", certificatePEM(a.cert.Raw)),
	} {
		_, err := envelope.ReadCRLs(bad)
		require.Error(t, err)
	}
}
