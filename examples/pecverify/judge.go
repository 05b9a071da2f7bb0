package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/spool"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/receipt"
)

// verdict is the result for one message or for a dossier.
type verdict struct {
	receipt.Report
	differences []receipt.Difference // how the content differs from what was sent
	enclosed    bool                 // the message is in a dossier
	dossier     *dossierReport       // nil for a message
}

func (v verdict) good() bool {
	if v.dossier != nil {
		return v.dossier.Verified
	}
	return v.Verified && v.Content != string(receipt.ContentMismatch)
}

// judge verifies messages and dossiers.
type judge struct {
	anchors  []envelope.Anchor
	legacy   bool
	verifier *envelope.Verifier
	sent     *os.File // the message that was sent; nil compares nothing
}

func newJudge(anchorFile string, legacy bool, sentFile string) (*judge, error) {
	j := &judge{anchors: envelope.BuiltinAnchors(), legacy: legacy}
	if anchorFile != "" {
		pem, err := os.ReadFile(anchorFile)
		if err != nil {
			return nil, err
		}
		if j.anchors, err = envelope.ParseAnchors(pem); err != nil {
			return nil, fmt.Errorf("%s: %w", anchorFile, err)
		}
	}
	var err error
	if j.verifier, err = envelope.NewVerifier(j.anchors, &envelope.VerifierOptions{AllowLegacy: legacy}); err != nil {
		return nil, err
	}
	if sentFile != "" {
		if j.sent, err = os.Open(sentFile); err != nil {
			return nil, err
		}
		// It is better to report an unreadable file once than for each receipt.
		if _, err := j.sent.ReadAt(make([]byte, 1), 0); err != nil {
			return nil, errors.Join(fmt.Errorf("-sent: %s: %w", sentFile, err), j.Close())
		}
	}
	return j, nil
}

// Close closes the file with the message that was sent.
func (j *judge) Close() error {
	if j.sent == nil {
		return nil
	}
	return j.sent.Close()
}

// zipMagic begins every zip (APPNOTE 6.3, 4.3.7), but no message.
var zipMagic = []byte("PK\x03\x04")

// file judges a file, or standard input.
func (j *judge) file(ctx context.Context, name string, stdin io.Reader) ([]verdict, error) {
	var r io.Reader = stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	s, err := spool.Open(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer s.Close()
	content := io.NewSectionReader(s, 0, s.Size())
	head, err := bufio.NewReaderSize(content, 16).Peek(len(zipMagic))
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	content = io.NewSectionReader(s, 0, s.Size())
	var verdicts []verdict
	if bytes.Equal(head, zipMagic) {
		verdicts, err = j.dossier(ctx, name, content)
	} else {
		verdicts, err = j.message(ctx, name, content)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return verdicts, nil
}

func (j *judge) message(ctx context.Context, name string, content *io.SectionReader) ([]verdict, error) {
	m, err := envelope.Open(ctx, content, j.verifier)
	if err == nil {
		defer m.Close()
	}
	report, err := receipt.NewReport(name, m, err)
	if err != nil {
		return nil, err
	}
	v := verdict{Report: report}
	if j.sent == nil || !report.Verified || m.Kind != envelope.KindDelivery {
		return []verdict{v}, nil
	}
	n, err := receipt.New(m)
	if err != nil {
		return nil, err
	}
	info, err := j.sent.Stat()
	if err != nil {
		return nil, err
	}
	compared, err := receipt.CheckContent(io.NewSectionReader(j.sent, 0, info.Size()), n.(*receipt.Delivery))
	if err != nil {
		return nil, err
	}
	v.Content, v.differences = string(compared.Result), compared.Differences
	return []verdict{v}, nil
}

// dossierReport is the verdict on a dossier in JSON.
type dossierReport struct {
	Schema      string               `json:"schema"`
	File        string               `json:"file"`
	Kind        string               `json:"kind"` // dossier
	Verified    bool                 `json:"verified"`
	Failure     dossier.Reason       `json:"failure"`
	Alterations []dossier.Alteration `json:"alterations"`
	MessageID   string               `json:"messageID"`
	Result      pec.Result           `json:"result"`
	Flags       []pec.Flag           `json:"flags"`
	Missing     []dossier.Missing    `json:"missing"`
}

// dossier judges each message in a dossier, and then the dossier itself.
func (j *judge) dossier(ctx context.Context, name string, content *io.SectionReader) ([]verdict, error) {
	if j.sent != nil {
		return nil, errors.New("-sent cannot be used with a dossier, which has its own original")
	}
	d := &dossierReport{Schema: dossier.Schema, File: name, Kind: "dossier", Alterations: []dossier.Alteration{}, Flags: []pec.Flag{}, Missing: []dossier.Missing{}}
	report, err := dossier.Verify(ctx, content, content.Size(), j.anchors, &dossier.VerifyOptions{AllowLegacy: j.legacy})
	if refused, ok := errors.AsType[*dossier.Error](err); ok {
		d.Failure, d.Alterations = refused.Reason, append(d.Alterations, refused.Alterations...)
		return []verdict{{dossier: d}}, nil
	}
	if err != nil {
		return nil, err
	}
	d.Verified, d.MessageID, d.Result, d.Flags, d.Missing = true, report.MessageID, report.Result, report.Flags, report.Missing
	var verdicts []verdict
	for _, p := range append(report.Proofs, report.Unproven...) {
		p.File = name + "/" + p.File
		verdicts = append(verdicts, verdict{Report: p.Report, differences: p.Differences, enclosed: true})
	}
	return append(verdicts, verdict{dossier: d}), nil
}
