package pectest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// folder is one IMAP folder. The mailbox's lock guards it.
type folder struct {
	name       string
	validity   uint32 // UIDVALIDITY
	next       imap.UID
	messages   []*stored
	tracker    *imapserver.MailboxTracker
	subscribed bool
	use        imap.MailboxAttr // special use (RFC 6154); empty for none
}

// stored is a message in a folder. raw never changes.
type stored struct {
	uid   imap.UID
	raw   []byte
	at    time.Time
	flags map[imap.Flag]bool // keys in lower case
}

func newFolder(name string, validity uint32) *folder {
	return &folder{name: name, validity: validity, next: 1, tracker: imapserver.NewMailboxTracker(0)}
}

func (f *folder) add(raw []byte, at time.Time, flags []imap.Flag) *stored {
	m := &stored{uid: f.next, raw: raw, at: at, flags: make(map[imap.Flag]bool)}
	for _, flag := range flags {
		m.flags[lowerFlag(flag)] = true
	}
	f.next++
	f.messages = append(f.messages, m)
	f.tracker.QueueNumMessages(uint32(len(f.messages)))
	return m
}

// remove removes the messages that match; the sessions learn of it at their next poll.
func (f *folder) remove(match func(*stored) bool) {
	var kept []*stored
	// From the end, so that the numbers of the remaining messages stay valid.
	for i, m := range slices.Backward(f.messages) {
		if match(m) {
			f.tracker.QueueExpunge(uint32(i) + 1)
		} else {
			kept = append(kept, m)
		}
	}
	slices.Reverse(kept)
	f.messages = kept
}

func (f *folder) count(flag imap.Flag) uint32 {
	var n uint32
	for _, m := range f.messages {
		if m.flags[lowerFlag(flag)] {
			n++
		}
	}
	return n
}

func (f *folder) size() int64 {
	var n int64
	for _, m := range f.messages {
		n += int64(len(m.raw))
	}
	return n
}

func (f *folder) status(o *imap.StatusOptions) *imap.StatusData {
	data := &imap.StatusData{Mailbox: f.name}
	number := func(wanted bool, field **uint32, n uint32) {
		if wanted {
			*field = &n
		}
	}
	number(o.NumMessages, &data.NumMessages, uint32(len(f.messages)))
	number(o.NumUnseen, &data.NumUnseen, uint32(len(f.messages))-f.count(imap.FlagSeen))
	number(o.NumDeleted, &data.NumDeleted, f.count(imap.FlagDeleted))
	number(o.NumRecent, &data.NumRecent, 0)
	if o.UIDNext {
		data.UIDNext = f.next
	}
	if o.UIDValidity {
		data.UIDValidity = f.validity
	}
	if o.Size {
		size := f.size()
		data.Size = &size
	}
	return data
}

func (f *folder) selectData() *imap.SelectData {
	flags := []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft}
	data := &imap.SelectData{
		Flags: flags, PermanentFlags: append(slices.Clone(flags), imap.FlagWildcard),
		NumMessages: uint32(len(f.messages)), UIDNext: f.next, UIDValidity: f.validity,
	}
	for i, m := range f.messages {
		if !m.flags[lowerFlag(imap.FlagSeen)] {
			data.FirstUnseenSeqNum = uint32(i) + 1
			break
		}
	}
	return data
}

func (m *stored) flagList() []imap.Flag {
	return slices.Sorted(maps.Keys(m.flags))
}

func (m *stored) change(s *imap.StoreFlags) {
	if s.Op == imap.StoreFlagsSet {
		clear(m.flags)
	}
	for _, flag := range s.Flags {
		if s.Op == imap.StoreFlagsDel {
			delete(m.flags, lowerFlag(flag))
		} else {
			m.flags[lowerFlag(flag)] = true
		}
	}
}

// write writes the items of a FETCH response. The flags are those at the time of the
// command.
func (m *stored) write(w *imapserver.FetchResponseWriter, o *imap.FetchOptions, flags []imap.Flag) error {
	w.WriteUID(m.uid)
	if o.Flags {
		w.WriteFlags(flags)
	}
	if o.InternalDate {
		w.WriteInternalDate(m.at)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(int64(len(m.raw)))
	}
	if o.Envelope {
		w.WriteEnvelope(imapserver.ExtractEnvelope(m.header().Header.Header))
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(m.raw)))
	}
	for _, section := range o.BodySection {
		content := m.section(section)
		literal := w.WriteBodySection(section, int64(len(content)))
		_, err := literal.Write(content)
		if closeErr := literal.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			// Without Close the connection could not write anything more, and would never end.
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// section returns a body section. It does not copy a whole message.
func (m *stored) section(s *imap.FetchItemBodySection) []byte {
	if s.Specifier == imap.PartSpecifierNone && len(s.Part) == 0 {
		if s.Partial == nil {
			return m.raw
		}
		from := min(int64(len(m.raw)), s.Partial.Offset)
		return m.raw[from:min(int64(len(m.raw)), from+s.Partial.Size)]
	}
	return imapserver.ExtractBodySection(bytes.NewReader(m.raw), s)
}

// lowerFlag makes flags comparable: their case does not matter.
func lowerFlag(flag imap.Flag) imap.Flag { return imap.Flag(strings.ToLower(string(flag))) }
