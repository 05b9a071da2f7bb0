package pec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"
)

// ErrUnknownFact reports a stored fact of a kind that this version does not know, because
// a later version wrote it. No status is computed without that fact.
var ErrUnknownFact = errors.New("pec: a stored fact of a kind that this version does not know (a later one wrote it: update)")

// factJSON is a fact in JSON. F is Fact for writing, and json.RawMessage for reading,
// until the kind is known. The names of kinds and fields stay as they are: stores hold
// them for years.
type factJSON[F any] struct {
	Kind string `json:"kind"`
	Fact F      `json:"fact"`
}

// kinds are the names of the stored facts.
var kinds = map[string]Fact{
	"intent":      Intent{},
	"key":         KeyClaim{},
	"attempt":     Attempt{},
	"outcome":     AttemptOutcome{},
	"abandonment": Abandonment{},
	"resolution":  Resolution{},
	"resent":      Resent{},
	"suspension":  Suspension{},
	"resumption":  Resumption{},
	"aside":       SetAside{},
	"recovered":   Recovered{},
	"notice":      NoticeFact{},
	"cert":        CertLink{},
	"unverified":  UnverifiedFact{},
	"bounce":      BounceFact{},
	"restoration": Restoration{},
	"folderread":  FolderRead{},
	"untraced":    Untraced{},
}

// kindOf returns the stored name of a fact's kind.
func kindOf(f Fact) string {
	for name, zero := range kinds {
		if reflect.TypeOf(zero) == reflect.TypeOf(f) {
			return name
		}
	}
	return "" // ReadTo, which is never stored
}

// newEntry returns the entry of a fact. send is "" for a fact about the mailbox. raw is the
// message that belongs to the fact, nil for none.
func newEntry(send string, f Fact, at time.Time, raw *io.SectionReader) (Entry, error) {
	data, err := json.Marshal(factJSON[Fact]{kindOf(f.fact()), f.fact()})
	if err != nil {
		return Entry{}, fmt.Errorf("pec: recording a fact: %w", err)
	}
	return Entry{Key: entryKey(send, f), Send: sendName(send), At: at, Data: data, Raw: raw}, nil
}

// entryKey returns the Entry.Key of a fact: two facts with the same one are the same fact.
// The listed kinds are unique in the mailbox, the others within their send.
func entryKey(send string, f Fact) string {
	switch f.fact().(type) {
	case KeyClaim, CertLink, Suspension, Resumption, SetAside, Recovered, Restoration, FolderRead:
		return f.key()
	}
	return f.key() + "@" + sendName(send)
}

// factOf decodes the fact of an entry.
func factOf(e Entry) (Fact, error) {
	var r factJSON[json.RawMessage]
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return nil, fmt.Errorf("pec: reading the fact %q: %w", e.Key, err)
	}
	zero, ok := kinds[r.Kind]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownFact, r.Kind)
	}
	f := reflect.New(reflect.TypeOf(zero))
	if err := json.Unmarshal(r.Fact, f.Interface()); err != nil {
		return nil, fmt.Errorf("pec: reading the fact %q: %w", e.Key, err)
	}
	return f.Interface().(Fact).fact(), nil
}

// factsOf decodes the facts of entries.
func factsOf(entries []Entry) ([]Fact, error) {
	facts := make([]Fact, 0, len(entries)+4)
	for _, e := range entries {
		f, err := factOf(e)
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	return facts, nil
}

// outcomeJSON is an AttemptOutcome in JSON. Only the text of its error is kept.
type outcomeJSON struct {
	N          int
	At         time.Time
	Kind       OutcomeKind
	Reply      Reply
	Recipients []RecipientReply `json:",omitempty"`
	Err        string           `json:",omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (f AttemptOutcome) MarshalJSON() ([]byte, error) {
	r := outcomeJSON{N: f.N, At: f.At, Kind: f.Outcome.Kind.known(), Reply: f.Outcome.Reply, Recipients: f.Outcome.Recipients}
	if f.Outcome.Err != nil {
		r.Err = clip(f.Outcome.Err.Error(), maxWords)
	}
	return json.Marshal(r)
}

// UnmarshalJSON implements json.Unmarshaler. The decoded Outcome.Err has only the text of
// the error that was recorded.
func (f *AttemptOutcome) UnmarshalJSON(data []byte) error {
	var r outcomeJSON
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	if r.Kind != "" && r.Kind != r.Kind.known() {
		return fmt.Errorf("%w: an outcome %q", ErrUnknownFact, r.Kind)
	}
	*f = AttemptOutcome{N: r.N, At: r.At, Outcome: Outcome{Kind: r.Kind, Reply: r.Reply, Recipients: r.Recipients}}
	if r.Err != "" {
		f.Outcome.Err = errors.New(r.Err)
	}
	return nil
}
