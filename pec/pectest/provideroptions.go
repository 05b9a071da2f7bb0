package pectest

import "time"

// ProviderOptions describes one provider (gestore).
type ProviderOptions struct {
	// Name is the descriptive name in the certification data (gestore-emittente), such as
	// "Alfa PEC S.p.A.". Empty means Domain.
	Name string
	// Domain is the mail domain of the accounts and the service domain of
	// posta-certificata@. It is required, and no two providers share one.
	Domain string
	// Accounts are the mailboxes. A message to any other address in Domain causes a
	// non-delivery notice.
	Accounts []Account

	// RefuseAtSMTP makes the access point refuse a message with an SMTP error at the end of
	// DATA. False answers 250 and sends a non-acceptance notice (RFC 6109, 3.1.2).
	RefuseAtSMTP bool
	// MaxProduct is the limit on the size of a message, in bytes, times the number of its
	// recipients. Zero means MaxMessageBytes, the lowest limit that the rules allow.
	MaxProduct int64
	// CertifiedOnly refuses messages to ordinary recipients, as some providers do.
	CertifiedOnly bool
	// RefuseOrdinary refuses mail from outside the network. False delivers it in anomaly
	// envelopes.
	RefuseOrdinary bool
	// SendViruses accepts infected messages at submission, so that they reach the
	// recipient's provider. ReceiveViruses accepts them there. False stops them.
	SendViruses, ReceiveViruses bool
	// BriefHash is what brief delivery notices hash. Zero means BriefHashDecoded.
	BriefHash BriefHash

	// Style is how the provider writes and signs. Zero means the most common engine.
	Style Style

	// Separator is the hierarchy separator of IMAP. Zero means '/'.
	Separator rune
	// Sent is the folder for sent mail, with special use \Sent. Providers use names such as
	// "INBOX.Inviata" and "INBOX/Spedite". Empty means SentFolder.
	Sent string
	// SaveSent keeps a copy of submitted mail there. False leaves it to the client.
	SaveSent bool
	// Folders are additional folders of every mailbox. Nil means none.
	Folders []string
	// PasswordLife is how long a password is valid, on the network's clock, from the
	// network's start or from SetPassword. Zero means for ever.
	PasswordLife time.Duration
	// LockAfter is the number of wrong passwords in a row, by SMTP and IMAP, that locks an
	// account. Until SetPassword even the right password is refused. Zero means never.
	LockAfter int
	// MaxPerMinute is how many messages a mailbox may submit within a minute of the
	// network's clock. Further ones get a permanent error at MAIL FROM, 550 "Class Of
	// Service". Zero means no limit.
	MaxPerMinute int
}

// Account is one PEC mailbox.
type Account struct {
	Address  string // a bare address in the provider's domain; required
	Login    string // the login name for SMTP and IMAP; empty means Address, as at most providers
	Password string // required
	// Quota is how many bytes all folders together may hold. Mail that does not fit is
	// refused with code 5.2.2. Zero means no limit.
	Quota int64
	// Keep is how many messages a folder holds. One more removes the oldest. Zero keeps all.
	Keep int
}

func defaultProviders() []ProviderOptions {
	return []ProviderOptions{
		{Name: "Alfa PEC S.p.A.", Domain: "alfa-pec.example", Accounts: []Account{
			{Address: "mario@alfa-pec.example", Password: "mario-password"},
			{Address: "anna@alfa-pec.example", Password: "anna-password"},
		}},
		{Name: "Beta PEC S.p.A.", Domain: "beta-pec.example", Accounts: []Account{
			{Address: "luigi@beta-pec.example", Password: "luigi-password"},
			{Address: "bruna@beta-pec.example", Password: "bruna-password"},
		}},
	}
}
