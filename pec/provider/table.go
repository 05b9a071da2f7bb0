package provider

import (
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// All returns all presets, ordered by name. The caller may change them.
//
// In its source a comment says how sure each fact is. "Official" facts stand on a page of
// the provider, read in 2026. "Observed" facts were seen at work, or are reported by people
// who saw them. "Uncertain" facts are old or inferred, or their sources differ.
func All() []Preset {
	return []Preset{
		{
			Name: "actalis", Service: "Actalis",
			Domains: []string{"pec.actalis.it"}, // uncertain
			SMTP:    "smtp.pec.actalis.it:465",  // uncertain
			IMAP:    "imap.pec.actalis.it:993",  // uncertain
		},
		{
			Name: "aruba", Service: "Aruba PEC",
			Domains:    []string{"pec.it", "pec.aruba.it", "arubapec.it"},             // observed
			SMTP:       "smtps.pec.aruba.it:465",                                      // official
			IMAP:       "imaps.pec.aruba.it:993",                                      // official
			SentFolder: "INBOX.Inviata",                                               // observed
			Limits:     pec.Limits{SizeTimesRecipients: 100_000_000, Recipients: 500}, // observed
			// With two-step verification, programs need a password of their own, which
			// expires after three months: official.
		},
		{
			Name: "intesi", Service: "Intesi Group",
			Domains: []string{"ig-trustmail.com"}, // uncertain
			SMTP:    "smtp.ig-trustmail.com:465",  // uncertain
			IMAP:    "imap.ig-trustmail.com:993",  // uncertain
		},
		{
			Name: "istruzione", Service: "Ministero dell'istruzione",
			Domains: []string{"pec.istruzione.it"}, // uncertain
			SMTP:    "smtp.pec.istruzione.it:465",  // uncertain
			IMAP:    "imap.pec.istruzione.it:993",  // uncertain
		},
		{
			Name: "legalmail", Service: "InfoCert Legalmail",
			Domains: []string{"legalmail.it", "cert.legalmail.it"}, // observed
			SMTP:    "sendm.cert.legalmail.it:465",                 // observed
			IMAP:    "mbox.cert.legalmail.it:993",                  // observed
			// The login is a user ID from the provider, not the address: observed.
			SentFolder: "INBOX/Spedite",                                                                    // observed
			PerMinute:  6,                                                                                  // observed
			Throttles:  []smtpclient.ThrottleReply{{Command: "MAIL", Code: 550, Text: "Class Of Service"}}, // observed
		},
		{
			Name: "libero", Service: "Libero PEC (Italiaonline)",
			Domains: []string{"postacert.it.net"}, // uncertain
			SMTP:    "mail.postacert.it.net:465",  // uncertain
			IMAP:    "mail.postacert.it.net:993",  // uncertain
		},
		{
			Name: "namirial", Service: "Namirial",
			Domains: []string{"sicurezzapostale.it", "namirialpec.it"}, // uncertain
			SMTP:    "smtps.sicurezzapostale.it:465",                   // uncertain
			IMAP:    "imaps.sicurezzapostale.it:993",                   // uncertain
		},
		{
			// Namirial's other platform. Its IMAP server is not known.
			Name: "namirial-pro", Service: "Namirial PRO",
			SMTP: "pro-smtps.sicurezzapostale.it:465", // uncertain
		},
		{
			Name: "postecert", Service: "Poste Italiane Postecert",
			Domains: []string{"postecert.it", "pec.posteitaliane.it", "pec.poste.it"}, // observed
			SMTP:    "mail.postecert.it:465",                                          // observed
			IMAP:    "mail.postecert.it:993",                                          // observed
		},
		{
			Name: "postecertifica", Service: "Postel Postecertifica",
			Domains: []string{"postecertifica.it"}, // observed
			SMTP:    "mail.postecertifica.it:465",  // observed
			IMAP:    "mail.postecertifica.it:993",  // observed
			// The password for programs expires after 90 days: observed.
		},
		{
			Name: "register", Service: "Register.it",
			Domains: []string{"pec-email.com", "pec.net"}, // uncertain
			SMTP:    "smtp.pec-email.com:465",             // uncertain
			IMAP:    "imap.pec-email.com:993",             // uncertain
		},
		{
			Name: "telecompost", Service: "TI Trust Technologies",
			Domains: []string{"telecompost.it"}, // uncertain
			SMTP:    "smtp.telecompost.it:465",  // uncertain
			IMAP:    "mail.telecompost.it:993",  // uncertain
		},
		{
			Name: "tim", Service: "TIM PEC",
			Domains: []string{"pectim.it"}, // uncertain
			SMTP:    "smtps.pectim.it:465", // uncertain
			IMAP:    "imaps.pectim.it:993", // uncertain
		},
	}
}
