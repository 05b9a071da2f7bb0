package pectest

import (
	"bufio"
	"bytes"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"
)

// header returns the parsed header; it is empty when the message cannot be parsed.
func (m *stored) header() mail.Header {
	var h mail.Header
	read, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(m.raw)))
	if err == nil {
		h.Header.Header = read
	}
	return h
}

// matches reports whether a message meets SEARCH criteria (RFC 9051, 6.4.4) whose number
// sets are static. TEXT and BODY search the undecoded bytes.
func (m *stored) matches(number uint32, c *imap.SearchCriteria) bool {
	for _, set := range c.SeqNum {
		if number == 0 || !set.Contains(number) {
			return false
		}
	}
	for _, set := range c.UID {
		if !set.Contains(m.uid) {
			return false
		}
	}
	for _, flag := range c.Flag {
		if !m.flags[lowerFlag(flag)] {
			return false
		}
	}
	for _, flag := range c.NotFlag {
		if m.flags[lowerFlag(flag)] {
			return false
		}
	}
	size := int64(len(m.raw))
	if c.Larger != 0 && size <= c.Larger || c.Smaller != 0 && size >= c.Smaller || !within(m.at, c.Since, c.Before) {
		return false
	}
	if len(c.Header) > 0 || !c.SentSince.IsZero() || !c.SentBefore.IsZero() {
		if !m.headerMatches(c) {
			return false
		}
	}
	e := parseEntity(m.raw)
	if !holds(m.raw, c.Text) || !holds(m.raw[e.body:], c.Body) {
		return false
	}
	for i := range c.Not {
		if m.matches(number, &c.Not[i]) {
			return false
		}
	}
	for i := range c.Or {
		if !m.matches(number, &c.Or[i][0]) && !m.matches(number, &c.Or[i][1]) {
			return false
		}
	}
	return true
}

func (m *stored) headerMatches(c *imap.SearchCriteria) bool {
	h := m.header()
	for _, field := range c.Header {
		found := false
		for fields := h.FieldsByKey(field.Key); fields.Next(); {
			// Text that cannot be decoded is searched undecoded.
			text, _ := fields.Text()
			found = found || strings.Contains(strings.ToLower(text), strings.ToLower(field.Value))
		}
		if !found {
			return false
		}
	}
	if c.SentSince.IsZero() && c.SentBefore.IsZero() {
		return true
	}
	date, err := h.Date()
	return err == nil && within(date, c.SentSince, c.SentBefore)
}

func holds(raw []byte, words []string) bool {
	for _, word := range words {
		if !bytes.Contains(bytes.ToLower(raw), bytes.ToLower([]byte(word))) {
			return false
		}
	}
	return true
}

// within compares days without regard to the time zone, as IMAP requires.
func within(t, since, before time.Time) bool {
	t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !t.Before(since)) && (before.IsZero() || t.Before(before))
}

// static replaces "*" by the highest number, and "$" by the saved result, in all sets of
// the criteria.
func (v *view) static(c *imap.SearchCriteria) {
	var numbers []imap.SeqSet
	for _, set := range c.SeqNum {
		switch set := v.staticSet(set).(type) {
		case imap.SeqSet:
			numbers = append(numbers, set)
		case imap.UIDSet: // the saved result
			c.UID = append(c.UID, set)
		}
	}
	c.SeqNum = numbers
	for i, set := range c.UID {
		if set, ok := v.staticSet(set).(imap.UIDSet); ok {
			c.UID[i] = set
		}
	}
	for i := range c.Not {
		v.static(&c.Not[i])
	}
	for i := range c.Or {
		v.static(&c.Or[i][0])
		v.static(&c.Or[i][1])
	}
}

func (v *view) staticSet(set imap.NumSet) imap.NumSet {
	if imap.IsSearchRes(set) {
		return v.saved
	}
	bound := func(start, stop *uint32, highest uint32) {
		star := *start == 0 || *stop == 0
		if *start == 0 {
			*start = highest
		}
		if *stop == 0 {
			*stop = highest
		}
		if star && *start > *stop {
			*start, *stop = *stop, *start
		}
	}
	switch set := set.(type) {
	case imap.SeqSet:
		for i := range set {
			bound(&set[i].Start, &set[i].Stop, uint32(len(v.folder.messages)))
		}
	case imap.UIDSet:
		for i := range set {
			bound((*uint32)(&set[i].Start), (*uint32)(&set[i].Stop), uint32(v.folder.next)-1)
		}
	}
	return set
}
