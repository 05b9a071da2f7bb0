package pec

import (
	"context"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/spool"
	"github.com/gopec/gopec/receipt"
)

// composed is a message as it will be sent.
type composed struct {
	messageID   string   // without angle brackets
	raw         bool     // the caller wrote the message: RawMessage
	chosen      bool     // the Message-ID is the caller's, who may have used it before
	derived     bool     // the Message-ID is that of the key: a Store that was lost may have sent under it
	to, cc      []string // bare addresses
	subject     string   // decoded
	receipt     receipt.Detail
	body        *spool.Spool // the exact bytes; whoever holds the composed closes it
	digest      [32]byte     // SHA-256 of body
	request     [32]byte     // equal for equal requests, whenever they are made; zero for a Message without a key
	attachments []AttachmentDigest
	warnings    []Warning
}

// recipients returns the addresses of To, then those of Cc.
func (c *composed) recipients() []string { return append(append([]string(nil), c.to...), c.cc...) }

// draft is a message that is being composed, and what is wrong with it.
type draft struct {
	composed
	problems []Problem
	seen     map[string]bool // the recipients, normalized
}

func (d *draft) problem(field, value string, reason ProblemReason, err error) {
	d.problems = append(d.problems, Problem{field, value, reason, err})
}

// addRecipient adds a bare address to To or Cc.
func (d *draft) addRecipient(field, value, address string) {
	key := envelope.NormalizeAddress(address)
	if d.seen[key] {
		d.problem(field, value, ProblemDuplicate, nil)
		return
	}
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	d.seen[key] = true
	if field == "Cc" {
		d.cc = append(d.cc, address)
	} else {
		d.to = append(d.to, address)
	}
}

// maxKey is the longest idempotency key, in bytes.
const maxKey = 200

func (d *draft) checkKey(key string) {
	if len(key) > maxKey {
		d.problem("Key", key, ProblemTooLong, nil)
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			d.problem("Key", key, ProblemBadKey, nil)
			return
		}
	}
}

// maxSubject is the longest subject without a warning, in characters.
const maxSubject = 250

// checkEvidence checks what the receipts will prove: RFC 6109, 3.3.2.
func (d *draft) checkEvidence(required bool) {
	if required && d.receipt != receipt.DetailFull {
		d.problem("Receipt", string(d.receipt), ProblemWeakEvidence, nil)
	}
	for _, address := range d.cc {
		if required {
			d.problem("Cc", address, ProblemWeakEvidence, nil)
		}
	}
	if len(d.cc) > 0 && d.receipt != receipt.DetailConcise {
		d.warnings = append(d.warnings, WarningCc)
	}
	if utf8.RuneCountInString(d.subject) > maxSubject {
		d.warnings = append(d.warnings, WarningLongSubject)
	}
}

func (d *draft) checkRecipients(l Limits, count int) {
	if count > l.recipients() {
		d.problem("To", strconv.Itoa(count), ProblemTooMany, &LimitError{int64(l.recipients()), int64(count)})
	}
}

// finish ends the composing. It returns what was written with its digests, or an error
// with everything that is wrong.
func (d *draft) finish(ctx context.Context, out *output, l Limits, count int) (*composed, error) {
	err := out.close()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("pec: composing: %w", ctx.Err())
	}
	if out.tooLarge {
		got := out.size * int64(max(count, 1))
		d.problem("Size", strconv.FormatInt(got, 10), ProblemTooLarge, &LimitError{l.product(), got})
	}
	if len(d.problems) > 0 {
		return nil, &ComposeError{d.problems}
	}
	if err != nil {
		return nil, fmt.Errorf("pec: composing: %w", err)
	}
	d.digest = [32]byte(out.sum.Sum(nil))
	d.body = out.spool.Spool()
	return &d.composed, nil
}
