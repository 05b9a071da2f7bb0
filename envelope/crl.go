package envelope

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// ReadCRLs returns a RevocationSource with the lists in CRL files. A file holds one
// list in DER, or any number of lists in PEM. Give old lists and current ones, of all
// issuers: a signature is covered only by lists from after it and before its certificate
// expired. ReadCRLs reads the files once. A file that cannot be read or parsed is an error.
func ReadCRLs(files ...string) (RevocationSource, error) {
	var lists []*x509.RevocationList
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("envelope: CRL: %w", err)
		}
		ders, err := crlBlocks(b)
		if err != nil {
			return nil, fmt.Errorf("envelope: CRL %s: %w", file, err)
		}
		for _, der := range ders {
			list, err := x509.ParseRevocationList(der)
			if err != nil {
				return nil, fmt.Errorf("envelope: CRL %s: %w", file, err)
			}
			lists = append(lists, list)
		}
	}
	return func(context.Context, *x509.Certificate, time.Time) ([]*x509.RevocationList, error) {
		return lists, nil
	}, nil
}

// crlBlocks returns the lists of a file, in DER.
func crlBlocks(b []byte) ([][]byte, error) {
	block, rest := pem.Decode(b)
	if block == nil {
		return [][]byte{b}, nil
	}
	var ders [][]byte
	for ; block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("a PEM block of type %q, not X509 CRL", block.Type)
		}
		ders = append(ders, block.Bytes)
	}
	return ders, nil
}
