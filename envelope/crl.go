package envelope

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// ReadCRLs makes a RevocationSource of CRL files, in DER or PEM. Several issues of
// one list may be given, of today and of years ago: of those that cover a signing
// time the latest is used. The files are read once, now.
func ReadCRLs(files ...string) (RevocationSource, error) {
	var lists []*x509.RevocationList
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("envelope: CRL: %w", err)
		}
		if block, _ := pem.Decode(b); block != nil {
			b = block.Bytes
		}
		list, err := x509.ParseRevocationList(b)
		if err != nil {
			return nil, fmt.Errorf("envelope: CRL %s: %w", file, err)
		}
		lists = append(lists, list)
	}
	return func(_ context.Context, leaf *x509.Certificate, signedAt time.Time) (*x509.RevocationList, error) {
		var best *x509.RevocationList
		for _, list := range lists {
			if list.Issuer.String() == leaf.Issuer.String() && (best == nil || better(list, best, leaf, signedAt)) {
				best = list
			}
		}
		return best, nil
	}, nil
}

// better tells whether list says more than other about a leaf: one that covers the
// signing time, and then the later one.
func better(list, other *x509.RevocationList, leaf *x509.Certificate, signedAt time.Time) bool {
	covers := func(l *x509.RevocationList) bool {
		return !l.ThisUpdate.Before(signedAt) && !l.ThisUpdate.After(leaf.NotAfter)
	}
	if covers(list) != covers(other) {
		return covers(list)
	}
	return list.ThisUpdate.After(other.ThisUpdate)
}
