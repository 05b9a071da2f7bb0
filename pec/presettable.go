package pec

import "time"

// Presets gives the presets, by name. They are the caller's to change.
func Presets() []Preset {
	return []Preset{
		{
			Name: "actalis", Provider: "Actalis",
			Domains: uncertain([]string{"pec.actalis.it"}),
			SMTP:    uncertain("smtp.pec.actalis.it:465"),
			IMAP:    uncertain("imap.pec.actalis.it:993"),
			Login:   uncertain(LoginAddress),
		},
		{
			Name: "aruba", Provider: "Aruba PEC",
			Domains:    observed([]string{"pec.it", "pec.aruba.it", "arubapec.it"}),
			SMTP:       official("smtps.pec.aruba.it:465"),
			IMAP:       official("imaps.pec.aruba.it:993"),
			Login:      official(LoginAddress),
			SentFolder: observed("INBOX.Inviata"),
			Separator:  observed("."),
			Limits:     observed(Limits{Product: 100_000_000, Recipients: 500}),
			// Of the password for programs, which two-step verification asks for: three
			// months, counted short.
			PasswordLifetime: official(3 * 28 * day),
		},
		{
			Name: "intesi", Provider: "Intesi Group",
			Domains: uncertain([]string{"ig-trustmail.com"}),
			SMTP:    uncertain("smtp.ig-trustmail.com:465"),
			IMAP:    uncertain("imap.ig-trustmail.com:993"),
			Login:   uncertain(LoginAddress),
		},
		{
			Name: "istruzione", Provider: "Ministero dell'istruzione",
			Domains: uncertain([]string{"pec.istruzione.it"}),
			SMTP:    uncertain("smtp.pec.istruzione.it:465"),
			IMAP:    uncertain("imap.pec.istruzione.it:993"),
		},
		{
			Name: "legalmail", Provider: "InfoCert Legalmail",
			Domains:    observed([]string{"legalmail.it", "cert.legalmail.it"}),
			SMTP:       observed("sendm.cert.legalmail.it:465"),
			IMAP:       observed("mbox.cert.legalmail.it:993"),
			Login:      observed(LoginUserID),
			SentFolder: observed("INBOX/Spedite"),
			Separator:  observed("/"),
			PerMinute:  observed(6),
			Throttles:  observed([]Throttle{{Command: "MAIL", Code: 550, Text: "Class Of Service"}}),
		},
		{
			Name: "libero", Provider: "Libero PEC (Italiaonline)",
			Domains: uncertain([]string{"postacert.it.net"}),
			SMTP:    uncertain("mail.postacert.it.net:465"),
			IMAP:    uncertain("mail.postacert.it.net:993"),
			Login:   uncertain(LoginAddress),
		},
		{
			Name: "namirial", Provider: "Namirial",
			Domains: uncertain([]string{"sicurezzapostale.it", "namirialpec.it"}),
			SMTP:    uncertain("smtps.sicurezzapostale.it:465"),
			IMAP:    uncertain("imaps.sicurezzapostale.it:993"),
			Login:   uncertain(LoginAddress),
		},
		{
			// The other platform of Namirial. Where it is read from is not known.
			Name: "namirial-pro", Provider: "Namirial PRO",
			SMTP:  uncertain("pro-smtps.sicurezzapostale.it:465"),
			Login: uncertain(LoginAddress),
		},
		{
			Name: "postecert", Provider: "Poste Italiane Postecert",
			Domains: observed([]string{"postecert.it", "pec.posteitaliane.it", "pec.poste.it"}),
			SMTP:    observed("mail.postecert.it:465"),
			IMAP:    observed("mail.postecert.it:993"),
			Login:   observed(LoginAddress),
		},
		{
			Name: "postecertifica", Provider: "Postel Postecertifica",
			Domains:          observed([]string{"postecertifica.it"}),
			SMTP:             observed("mail.postecertifica.it:465"),
			IMAP:             observed("mail.postecertifica.it:993"),
			Login:            observed(LoginAddress),
			PasswordLifetime: observed(90 * day),
		},
		{
			Name: "register", Provider: "Register.it",
			Domains: uncertain([]string{"pec-email.com", "pec.net"}),
			SMTP:    uncertain("smtp.pec-email.com:465"),
			IMAP:    uncertain("imap.pec-email.com:993"),
			Login:   uncertain(LoginAddress),
		},
		{
			Name: "telecompost", Provider: "TI Trust Technologies",
			Domains: uncertain([]string{"telecompost.it"}),
			SMTP:    uncertain("smtp.telecompost.it:465"),
			IMAP:    uncertain("mail.telecompost.it:993"),
		},
		{
			Name: "tim", Provider: "TIM PEC",
			Domains: uncertain([]string{"pectim.it"}),
			SMTP:    uncertain("smtps.pectim.it:465"),
			IMAP:    uncertain("imaps.pectim.it:993"),
			Login:   uncertain(LoginAddress),
		},
	}
}

const day = 24 * time.Hour

func official[T any](v T) Known[T]  { return Known[T]{v, CertaintyOfficial} }
func observed[T any](v T) Known[T]  { return Known[T]{v, CertaintyObserved} }
func uncertain[T any](v T) Known[T] { return Known[T]{v, CertaintyUncertain} }
