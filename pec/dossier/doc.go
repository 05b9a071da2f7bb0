// Package dossier puts the evidence of one PEC into one zip file. It holds the original
// message as it was sent, every notice byte for byte, the certificates and keys that prove
// them, and a report for people in Italian and English, to print or to hand to a court.
//
//	file, err := os.Create("fattura-12.zip")
//	report, err := dossier.Write(ctx, file, dossier.FromLedger(client.Ledger, id), envelope.BuiltinAnchors(), nil)
//	for _, gap := range report.Missing {
//		fmt.Println(gap.What, gap.Recipient, gap.Until) // and gap.Request, ready to be sent to the provider
//	}
//
// The evidence comes from a store (FromLedger), from a folder of .eml files
// (FromFolder), for instance of a message that another program sent, or from the
// envelope of a PEC that was received (FromEnvelope).
//
// # Verification
//
// Verify needs nothing but the file and the anchors:
//
//	report, err := dossier.Verify(ctx, file, size, envelope.BuiltinAnchors(), nil)
//
// The evidence determines every other byte of a dossier. Verify proves the notices again,
// writes the dossier a second time and compares the two. It finds a changed report even
// if the manifest was changed to match.
//
// # The files
//
//	facts.json         what the sender's own system recorded: nothing in it is certified
//	original.eml       the message as it was sent
//	notices/           the proven messages, by certified time
//	unproven/          messages that claim to be notices, and prove nothing
//	certificates/      the signers' certificates, in DER
//	anchors.pem        the public keys that issued these certificates
//	revocation/        the certificate revocation lists in Options.CRLs
//	timeline.json      what happened, by time ([]Moment)
//	report.json        the verdict on every message, and what is missing (Report)
//	rapporto.html      the report for people, in Italian
//	report.html        the report for people, in English
//	manifest.sha256    SHA-256 of all files above, for sha256sum -c
//	timestamp.tsr      the timestamp of the manifest that Options.Timestamp returned
//
// # Limits
//
// A dossier does not prove that no other notices exist: whoever wrote it may have left some
// out. A timestamp helps if it was taken while nobody had a reason to leave anything out.
// No signature covers facts.json and the outer header of a notice: they are as
// trustworthy as whoever wrote the dossier.
//
// A dossier is not a legal archive (conservazione a norma). What the law requires to be
// archived must also go into one.
package dossier
