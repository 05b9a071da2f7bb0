package imapclient

import (
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Folder is one folder of a mailbox, as the server lists it.
type Folder struct {
	// Name is in UTF-8, as in Options.Folders.
	Name string
	// Delimiter separates the levels of Name; "" means that there are no levels.
	Delimiter string
	// SpecialUse is the folder's purpose according to the server, such as \Sent (RFC
	// 6154, 2); "" if the server does not say.
	SpecialUse string
	// Selectable is false for a folder that holds no messages, only other folders.
	Selectable bool
}

// specialUses are the attributes of RFC 6154, 2.
var specialUses = []imap.MailboxAttr{
	imap.MailboxAttrAll, imap.MailboxAttrArchive, imap.MailboxAttrDrafts, imap.MailboxAttrFlagged,
	imap.MailboxAttrJunk, imap.MailboxAttrSent, imap.MailboxAttrTrash,
}

// folders returns all folders of the mailbox.
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

// sentNames are the names that providers are known to use for the folder of sent mail,
// at the top or below INBOX.
var sentNames = []string{"Inviata", "Spedite", "Posta inviata", "Sent"}

// sentFolder returns the name of the folder of sent mail, "" if none is recognised.
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
