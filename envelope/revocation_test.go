package envelope_test

import (
	"context"
	"crypto/rand"
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

// crl is a revocation list of the CA: at each time of revoked, the leaf was.
func (a *authority) crl(issued time.Time, extensions []pkix.Extension, revoked ...time.Time) *x509.RevocationList {
	a.t.Helper()
	template := &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: issued, NextUpdate: issued.AddDate(0, 0, 1), ExtraExtensions: extensions,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: issued.AddDate(-1, 0, 0)}},
	}
	for _, at := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: a.leaf.SerialNumber, RevocationTime: at})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	require.NoError(a.t, err)
	list, err := x509.ParseRevocationList(der)
	require.NoError(a.t, err)
	return list
}

func source(err error, lists ...*x509.RevocationList) envelope.RevocationSource {
	return func(context.Context, *x509.Certificate, time.Time) ([]*x509.RevocationList, error) { return lists, err }
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
				require.Equal(t, c.want, ve.Facts.Revocation)
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
