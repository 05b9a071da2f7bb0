package pectest

import (
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// The commands of a session that concern the messages of the selected folder.

// numbered is a message with the sequence number that the client knows.
type numbered struct {
	*stored
	number uint32
	flags  []imap.Flag
}

// pick returns the messages in a set; the mailbox's lock is held.
func (v *view) pick(set imap.NumSet) []numbered {
	set = v.staticSet(set)
	var out []numbered
	for i, m := range v.folder.messages {
		number := v.tracker.EncodeSeqNum(uint32(i) + 1)
		var in bool
		switch set := set.(type) {
		case imap.SeqSet:
			in = number != 0 && set.Contains(number)
		case imap.UIDSet:
			in = set.Contains(m.uid)
		}
		if in {
			out = append(out, numbered{m, number, m.flagList()})
		}
	}
	return out
}

// Fetch picks the messages under the lock and writes them without it, so that a slow client
// does not keep mail from arriving.
func (s *imapSession) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	seen := false
	for _, section := range options.BodySection {
		// RFC 9051, 6.3.3: nothing changes in a folder opened by EXAMINE, so BODY[]
		// does not set \Seen there.
		seen = seen || !section.Peek && !s.readOnly
	}
	s.mailbox.mu.Lock()
	picked := s.pick(set)
	for i, m := range picked {
		if seen && !m.stored.flags[lowerFlag(imap.FlagSeen)] {
			m.change(&imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}})
			picked[i].flags = m.flagList()
			s.flagged(m, nil)
		}
	}
	s.mailbox.mu.Unlock()
	for _, m := range picked {
		if err := m.write(w.CreateMessage(m.number), options, m.flags); err != nil {
			return err
		}
	}
	return nil
}

// flagged notifies all sessions except one of changed flags; the lock is held.
func (s *imapSession) flagged(m numbered, except *imapserver.SessionTracker) {
	for i, other := range s.folder.messages {
		if other == m.stored {
			s.folder.tracker.QueueMessageFlags(uint32(i)+1, m.uid, m.flagList(), except)
		}
	}
	s.mailbox.wake()
}

func (s *imapSession) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, _ *imap.StoreOptions) error {
	if s.readOnly {
		return errReadOnly
	}
	s.mailbox.mu.Lock()
	picked := s.pick(set)
	for i, m := range picked {
		m.change(flags)
		picked[i].flags = m.flagList()
		s.flagged(m, s.tracker)
	}
	s.mailbox.mu.Unlock()
	if flags.Silent {
		return nil
	}
	for _, m := range picked {
		if err := m.write(w.CreateMessage(m.number), &imap.FetchOptions{Flags: true}, m.flags); err != nil {
			return err
		}
	}
	return nil
}

func (s *imapSession) Expunge(_ *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if s.readOnly {
		return nil // CLOSE calls it too, and must succeed
	}
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	s.folder.remove(func(m *stored) bool {
		return m.flags[lowerFlag(imap.FlagDeleted)] && (uids == nil || uids.Contains(m.uid))
	})
	s.mailbox.wake()
	return nil
}

func (s *imapSession) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, options *imap.SearchOptions) (*imap.SearchData, error) {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	s.static(criteria)
	var data imap.SearchData
	var numbers imap.SeqSet
	var uids imap.UIDSet
	for i, m := range s.folder.messages {
		number := s.tracker.EncodeSeqNum(uint32(i) + 1)
		if !m.matches(number, criteria) {
			continue
		}
		uids.AddNum(m.uid)
		found := uint32(m.uid)
		if kind == imapserver.NumKindSeq {
			if number == 0 {
				continue
			}
			numbers.AddNum(number)
			found = number
		}
		if data.Min == 0 {
			data.Min = found
		}
		data.Max = found
		data.Count++
	}
	data.All = uids
	if kind == imapserver.NumKindSeq {
		data.All = numbers
	}
	if options.ReturnSave {
		s.saved = uids
	}
	return &data, nil
}

func (s *imapSession) Copy(set imap.NumSet, target string) (*imap.CopyData, error) {
	s.mailbox.mu.Lock()
	defer s.mailbox.mu.Unlock()
	data, _, err := s.copyTo(set, target)
	return data, err
}

func (s *imapSession) copyTo(set imap.NumSet, target string) (*imap.CopyData, []numbered, error) {
	to := s.mailbox.folder(target, false)
	if to == nil {
		return nil, nil, errNoTarget
	}
	data := &imap.CopyData{UIDValidity: to.validity}
	picked := s.pick(set)
	for _, m := range picked {
		c, err := s.mailbox.add(to, m.raw, m.at, m.flags)
		if err != nil {
			return nil, nil, errFull
		}
		data.SourceUIDs.AddNum(m.uid)
		data.DestUIDs.AddNum(c.uid)
	}
	return data, picked, nil
}

// Move copies the messages and then expunges exactly those (RFC 6851). The poll at the end
// of the command writes the expunges.
func (s *imapSession) Move(w *imapserver.MoveWriter, set imap.NumSet, target string) error {
	if s.readOnly {
		return errReadOnly
	}
	s.mailbox.mu.Lock()
	data, picked, err := s.copyTo(set, target)
	if err == nil {
		moved := make(map[*stored]bool, len(picked))
		for _, m := range picked {
			moved[m.stored] = true
		}
		s.folder.remove(func(m *stored) bool { return moved[m] })
		s.mailbox.wake()
	}
	s.mailbox.mu.Unlock()
	if err != nil {
		return err
	}
	return w.WriteCopyData(data)
}
