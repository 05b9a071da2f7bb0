// Package dossier puts the evidence of one PEC into one file: a zip with the original
// as it was sent, every notice byte for byte, the certificates and keys they were
// verified with, and a report for people in Italian and English, to print or to
// hand to a court.
//
//	file, err := os.Create("fattura-12.zip")
//	report, err := dossier.Write(ctx, file, dossier.FromLedger(client.Ledger, id), envelope.BuiltinAnchors(), nil)
//	for _, gap := range report.Missing {
//		fmt.Println(gap.What, gap.Recipient, gap.Until) // and gap.Request, ready to be sent to the provider
//	}
//
// The evidence comes from a store (FromLedger), from .eml files of a message that
// another program sent (FromFolder), or is a PEC that was received (FromEnvelope).
//
// # Verification
//
// Verify needs nothing but the file and the anchors:
//
//	report, err := dossier.Verify(ctx, file, size, envelope.BuiltinAnchors(), nil)
//
// All but the evidence itself follows from the evidence, and there is one way to write
// it. Verify proves the notices again, writes the dossier anew and compares: whoever
// changes a report, and the manifest with it, is found out.
//
// # The files
//
//	facts.json         what the sender's own system recorded: nothing in it is certified
//	original.eml       the message as it was sent
//	notices/           the proven messages, by certified time
//	unproven/          messages that claim to be notices, and prove nothing
//	certificates/      the signers', in DER
//	anchors.pem        the public keys that issued those
//	revocation/        certificate revocation lists, where Options.CRLs gave any
//	timeline.json      what happened, by time ([]Moment)
//	report.json        the verdict on every message, and what is missing (Report)
//	rapporto.html      the same for people, in Italian
//	report.html        and in English
//	manifest.sha256    SHA-256 of all of these, for sha256sum -c
//	timestamp.tsr      a timestamp of the manifest, where Options.Timestamp gave one
//
// # What it is not
//
// A dossier does not show that there are no other notices than those in it: one that was
// left out before it was written is not missed. A timestamp, taken while nobody
// had a reason to leave anything out, is the remedy. Facts of facts.json and the outer
// header of a notice, which no signature covers, are as good as who wrote the dossier.
//
// It is no legal archive (conservazione a norma): what has to be kept by law has to go
// into one.
package dossier
