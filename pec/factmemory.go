package pec

import (
	"slices"
	"strings"
	"sync"

	"github.com/gopec/gopec/envelope"
)

// memory keeps facts and cursors for the life of a Client. It is safe for
// concurrent use.
type memory struct {
	mu      sync.Mutex
	sends   map[string][]Fact     // by lower-case Message-ID
	notices map[envelope.Key]bool // those that joined
	cursors map[string]Cursor     // by folder
}

func newMemory() *memory {
	return &memory{
		sends:   map[string][]Fact{},
		notices: map[envelope.Key]bool{},
		cursors: map[string]Cursor{},
	}
}

// append adds a fact to a send.
func (m *memory) append(messageID string, fact Fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := strings.ToLower(messageID)
	m.sends[id] = append(m.sends[id], fact)
}

// appendNotice adds a notice, once, and gives the Message-ID of the send of ours
// it joins, "" when it joins none.
func (m *memory) appendNotice(n NoticeFact) (joined string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := strings.ToLower(n.MessageID)
	for _, fact := range m.sends[id] {
		if i, ok := fact.(Intent); ok && n.Joins(i) {
			joined = i.MessageID
		}
	}
	if joined != "" && !m.notices[n.Key] {
		m.notices[n.Key] = true
		m.sends[id] = append(m.sends[id], n)
	}
	return joined
}

// facts gives the facts of one send; none when it is not known.
func (m *memory) facts(messageID string) []Fact {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sends[strings.ToLower(messageID)])
}

func (m *memory) cursor(folder string) Cursor {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.cursors[folder]
	c.Folder = folder
	return c
}

func (m *memory) setCursor(c Cursor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursors[c.Folder] = c
}
