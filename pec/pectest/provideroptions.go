package pectest

import "time"

// ProviderOptions describes one provider (gestore).
type ProviderOptions struct {
	// Name is the descriptive name in the certification data
	// (gestore-emittente), e.g. "Alfa PEC S.p.A.". Empty means Domain.
	Name string
	// Domain is the mail domain of the accounts and the service domain of
	// posta-certificata@. Required; each provider has another.
	Domain string
	// Accounts are the mailboxes. Any other address of Domain is unknown and
	// earns its sender a non-delivery notice.
	Accounts []Account

	// RefuseAtSMTP answers what the access point does not accept with an SMTP error
	// at the end of DATA. False answers 250 and sends a non-acceptance notice
	// (RFC 6109, 3.1.2).
	RefuseAtSMTP bool
	// MaxProduct is the limit, in bytes, on size times number of recipients.
	// Zero means MaxMessageBytes, the least that the rules allow.
	MaxProduct int64
	// CertifiedOnly refuses messages to ordinary recipients, as some providers do.
	CertifiedOnly bool
	// RefuseOrdinary takes no mail from outside the network. False wraps it in
	// anomaly envelopes.
	RefuseOrdinary bool
	// SendViruses lets infected messages pass at submission, so that the recipient's
	// provider meets them; ReceiveViruses lets them pass there. False stops them.
	SendViruses, ReceiveViruses bool
	// BriefHash chooses what a brief delivery notice hashes. Zero is BriefHashDecoded.
	BriefHash BriefHash

	// Style is how the provider writes and signs. Zero is the most common engine.
	Style Style

	// Separator is the hierarchy separator of IMAP. Zero means '/'.
	Separator rune
	// Sent is the folder for sent mail, with special use \Sent; "INBOX.Inviata" and
	// "INBOX/Spedite" are in use. Empty means SentFolder.
	Sent string
	// SaveSent keeps a copy of submitted mail there. False leaves it to the client.
	SaveSent bool
	// Folders are further folders of every mailbox. Nil is none.
	Folders []string
	// PasswordLife is how long a password is good, on the network's clock, from the
	// start or from SetPassword. Zero is for ever.
	PasswordLife time.Duration
	// LockAfter locks an account after so many refused logins in a row, by SMTP and
	// IMAP, until SetPassword: the right password is refused too. Zero never does.
	LockAfter int
	// MaxPerMinute is how many messages a mailbox may submit within a minute of the
	// network's clock. Beyond it MAIL FROM is answered with a permanent error, 550
	// "Class Of Service". Zero is no limit.
	MaxPerMinute int
}

// Account is one PEC mailbox.
type Account struct {
	Address  string // in the provider's domain; required
	Login    string // the login name for SMTP and IMAP; empty means Address, as at most providers
	Password string // required
	// Quota is how many bytes all folders together may hold; beyond it mail is
	// refused with code 5.2.2. Zero is no limit.
	Quota int64
	// Keep is how many messages a folder holds: the oldest goes when another comes.
	// Zero keeps all.
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
