package imapclient

import (
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Folder is one folder of a mailbox, as the server lists it.
type Folder struct {
	// Name is in UTF-8, as Options.Folders has it.
	Name string
	// Delimiter separates the levels of Name, "" when there are none.
	Delimiter string
	// SpecialUse is what the server says the folder is for, such as \Sent (RFC 6154,
	// 2); "" when it does not say.
	SpecialUse string
	// Selectable is false for a folder that only has others below it.
	Selectable bool
}

// specialUses are the attributes of RFC 6154, 2.
var specialUses = []imap.MailboxAttr{
	imap.MailboxAttrAll, imap.MailboxAttrArchive, imap.MailboxAttrDrafts, imap.MailboxAttrFlagged,
	imap.MailboxAttrJunk, imap.MailboxAttrSent, imap.MailboxAttrTrash,
}

// folders lists all folders of the mailbox.
func (t *turn) folders() ([]Folder, error) {
	s := t.client.session
	var opts *imap.ListOptions
	if s.caps.Has(imap.CapSpecialUse) && s.caps.Has(imap.CapListExtended) {
		opts = &imap.ListOptions{ReturnSpecialUse: true}
	}
	s.conn.allow(quick)
	listed, err := await(s, func() ([]*imap.ListData, error) { return s.imap.List("", "*", opts).Collect() })
	if err != nil {
		return nil, t.fail("list", err)
	}
	folders := make([]Folder, 0, len(listed))
	for _, data := range listed {
		f := Folder{Name: data.Mailbox, Selectable: true}
		if data.Delim != 0 {
			f.Delimiter = string(data.Delim)
		}
		for _, attr := range data.Attrs {
			switch {
			case attr == imap.MailboxAttrNoSelect || attr == imap.MailboxAttrNonExistent:
				f.Selectable = false
			case slices.Contains(specialUses, attr):
				f.SpecialUse = string(attr)
			}
		}
		folders = append(folders, f)
	}
	return folders, nil
}

// sentNames are the names of folders of sent mail that providers are known to use,
// at the top or below INBOX.
var sentNames = []string{"Inviata", "Spedite", "Posta inviata", "Sent"}

// sentFolder chooses the folder of sent mail, "" when none is to be recognised.
func sentFolder(folders []Folder) string {
	for _, f := range folders {
		if f.Selectable && f.SpecialUse == string(imap.MailboxAttrSent) {
			return f.Name
		}
	}
	for _, name := range sentNames {
		for _, f := range folders {
			if f.Selectable && (f.Name == name || f.Delimiter != "" && f.Name == "INBOX"+f.Delimiter+name) {
				return f.Name
			}
		}
	}
	return ""
}
