package dossier_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/dossier"
	"github.com/gopec/gopec/pec/pectest"
)

// The envelope of a received message certifies its sender and identifiers. Facts that name
// others belong to no message in the dossier.
func TestForgedFactsOfAReceivedMessageAreRefused(t *testing.T) {
	n := pectest.Start(t, nil)
	raw, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindTransport, Sender: luigi, Subject: "Offerta", MessageID: "<m9@beta-pec.example>", CertID: "p9@beta-pec.example",
		Recipients: []pectest.Recipient{{Address: mario}}, Original: original,
	})
	require.NoError(t, err)
	zipped, _ := write(t, n, dossier.FromEnvelope(section(raw)), nil)
	for name, change := range map[string]func(*dossier.Recorded){
		"sender":     func(f *dossier.Recorded) { f.Sender = bruna },
		"Message-ID": func(f *dossier.Recorded) { f.MessageID = "m8@beta-pec.example" },
		"no sender":  func(f *dossier.Recorded) { f.Sender = "" },
		"CertID":     func(f *dossier.Recorded) { f.CertID = "p8@beta-pec.example" },
	} {
		t.Run(name, func(t *testing.T) {
			var forged bytes.Buffer
			_, err := dossier.Write(t.Context(), &forged, dossier.FromForged(zipped, change), trusttest.Anchors(n), &dossier.Options{Now: n.Now})
			require.Equal(t, dossier.ReasonUnknown, reason(t, err).Reason)
		})
	}
}

// A received message has no facts about a send.
func TestAReceivedMessageHasNoFactsOfASend(t *testing.T) {
	n := pectest.Start(t, nil)
	zipped, _ := received(t, n)
	for name, change := range map[string]func(*dossier.Recorded){
		"intent":     func(f *dossier.Recorded) { f.Intent = &pec.Intent{MessageID: f.MessageID} },
		"bounce":     func(f *dossier.Recorded) { f.Bounces = []pec.BounceFact{{Recipient: luigi, Text: "respinto"}} },
		"resolution": func(f *dossier.Recorded) { f.Resolutions = []pec.Resolution{{N: 1, Note: "non inviato"}} },
	} {
		t.Run(name, func(t *testing.T) {
			var forged bytes.Buffer
			_, err := dossier.Write(t.Context(), &forged, dossier.FromForged(zipped, change), trusttest.Anchors(n), &dossier.Options{Now: n.Now})
			require.Equal(t, dossier.ReasonNoDossier, reason(t, err).Reason)
		})
	}
}

// A recipient that the acceptance lists and the intent leaves out is in the report: the
// message does not count as delivered to every recipient.
func TestARecipientLeftOutOfTheIntentIsReported(t *testing.T) {
	n := pectest.Start(t, nil)
	c := newClient(t, n)
	id := send(t, n, c, pec.Message{To: []string{luigi, "nessuno@beta-pec.example"}, Subject: "Diffida", Text: "Si diffida."})
	zipped, report := write(t, n, dossier.FromLedger(c.Ledger, id), nil)
	require.Equal(t, pec.ResultPartial, report.Result)
	forged, report := write(t, n, dossier.FromForged(zipped, func(f *dossier.Recorded) { f.Intent.To = []string{luigi} }), nil)
	require.Equal(t, pec.ResultPartial, report.Result)
	require.Len(t, report.Recipients, 2)
	require.Equal(t, "failed", report.Recipients[1].State)
	_, err := verify(t, n, forged)
	require.NoError(t, err)
}
