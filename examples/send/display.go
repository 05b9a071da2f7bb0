package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
)

// display shows a send to the user of the program.
type display interface {
	change(pec.Change) error
	trouble(error) // in one line, on standard error
	rehearsed(pec.Preview) error
	last(s pec.Status, why string) error // why explains the state of recipients where the status does not
}

func newDisplay(out, log io.Writer, asJSON bool) display {
	if asJSON {
		return &jsonDisplay{Encoder: json.NewEncoder(out), log: log}
	}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &table{lines: lines{out, log}}
		}
	}
	return lines{out, log}
}

// jsonDisplay prints one object per change, for programs.
type jsonDisplay struct {
	*json.Encoder
	log io.Writer
	seq int // the number of changes of this send so far
}

type changeObject struct {
	Seq         int        `json:"seq"`
	Key         string     `json:"key"`
	MessageID   string     `json:"messageID"`
	CertID      string     `json:"certID"`
	Result      pec.Result `json:"result"`
	Recipient   string     `json:"recipient"`
	State       string     `json:"state"`
	Cause       string     `json:"cause"`
	Code        string     `json:"code"`
	ErrorText   string     `json:"errorText"`
	CertifiedAt string     `json:"certifiedAt"`
	Provider    string     `json:"provider"`
	Evidence    string     `json:"evidence"`
	Flags       []pec.Flag `json:"flags"`
}

func (d *jsonDisplay) change(c pec.Change) error {
	d.seq++
	s := c.After
	why := attempted(c)
	for _, r := range c.Recipients() {
		code, text := reason(r, why)
		object := changeObject{
			Seq: d.seq, Key: s.Key, MessageID: s.MessageID, CertID: s.CertID, Result: s.Result,
			Recipient: r.Address, State: string(r.State), Cause: string(r.Failure.Cause), Code: code,
			ErrorText: text, CertifiedAt: stamp(r.Time), Provider: r.Provider, Evidence: r.Evidence.String(),
			Flags: append([]pec.Flag{}, s.Flags...),
		}
		if err := d.Encode(object); err != nil {
			return err
		}
	}
	return nil
}

type finalObject struct {
	Final      bool              `json:"final"`
	Key        string            `json:"key"`
	MessageID  string            `json:"messageID"`
	Result     pec.Result        `json:"result"`
	Flags      []pec.Flag        `json:"flags"`
	Recipients []recipientObject `json:"recipients"`
}

type recipientObject struct {
	Address     string `json:"address"`
	State       string `json:"state"`
	Cause       string `json:"cause"`
	Code        string `json:"code"`
	ErrorText   string `json:"errorText"`
	CertifiedAt string `json:"certifiedAt"`
	Provider    string `json:"provider"`
	Evidence    string `json:"evidence"`
	Content     string `json:"content"`
}

func (d *jsonDisplay) last(s pec.Status, why string) error {
	object := finalObject{Final: true, Key: s.Key, MessageID: s.MessageID, Result: s.Result, Flags: append([]pec.Flag{}, s.Flags...)}
	for _, r := range s.Recipients {
		code, text := reason(r, why)
		object.Recipients = append(object.Recipients, recipientObject{
			Address: r.Address, State: string(r.State), Cause: string(r.Failure.Cause), Code: code, ErrorText: text,
			CertifiedAt: stamp(r.Time), Provider: r.Provider, Evidence: r.Evidence.String(), Content: string(r.Content),
		})
	}
	return d.Encode(object)
}

func (d *jsonDisplay) trouble(err error) { program.Fail(d.log, "send", err) }

func (d *jsonDisplay) rehearsed(draft pec.Preview) error {
	return d.Encode(map[string]any{"dryRun": true, "recipients": draft.Recipients, "size": draft.Size, "warnings": append([]pec.Warning{}, draft.Warnings...)})
}

// stamp formats a certified time with its own offset; "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// lines prints one line per change.
type lines struct{ out, log io.Writer }

func (d lines) change(c pec.Change) error {
	why := attempted(c)
	for _, r := range c.Recipients() {
		if _, err := fmt.Fprintf(d.out, "%-32s %-10s %s\n", r.Address, r.State, clean(explain(r, why))); err != nil {
			return err
		}
	}
	return nil
}

func (d lines) last(s pec.Status, _ string) error {
	_, err := fmt.Fprintf(d.out, "message %s: %s%s\n", s.MessageID, s.Result, flagText(s))
	return err
}

func (d lines) trouble(err error) { program.Fail(d.log, "send", err) }

func (d lines) rehearsed(draft pec.Preview) error {
	_, err := fmt.Fprintf(d.out, "nothing was sent; the message has %d bytes and %d recipients, and both servers let us in\n", draft.Size, len(draft.Recipients))
	for _, w := range draft.Warnings {
		fmt.Fprintln(d.out, "warning:", w)
	}
	return err
}

func flagText(s pec.Status) string {
	if len(s.Flags) == 0 {
		return ""
	}
	return fmt.Sprint(" ", s.Flags)
}

// attempted returns why the attempt that a change is about failed; "" for any other change.
func attempted(c pec.Change) string {
	if attempt, ok := c.Fact.(pec.AttemptOutcome); ok {
		return failed(attempt.Outcome)
	}
	return ""
}

// explain says in words why a recipient is in its state.
func explain(r pec.RecipientStatus, why string) string {
	var words []string
	if !r.Time.IsZero() {
		words = append(words, r.Time.Format("2006-01-02 15:04:05 -0700"))
	}
	if r.Provider != "" {
		words = append(words, "by "+r.Provider)
	}
	if r.Failure.Cause != "" {
		words = append(words, string(r.Failure.Cause)+":", r.Failure.Text)
	}
	switch {
	case r.Reply.Code != 0:
		words = append(words, r.Reply.String())
	case why != "":
		words = append(words, why)
	}
	return strings.Join(words, " ")
}

// table shows all recipients at once and writes over itself.
type table struct {
	lines
	height int
}

func (d *table) change(c pec.Change) error {
	if len(c.Recipients()) == 0 {
		return nil
	}
	var page strings.Builder
	if d.height > 0 {
		fmt.Fprintf(&page, "\x1b[%dA\x1b[J", d.height)
	}
	w := tabwriter.NewWriter(&page, 0, 0, 2, ' ', 0)
	for _, r := range c.After.Recipients {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Address, r.State, shorten(clean(explain(r, attempted(c)))))
	}
	w.Flush()
	fmt.Fprintf(&page, "%s: %s%s\n", c.After.MessageID, c.After.Result, flagText(c.After))
	d.height = len(c.After.Recipients) + 1
	_, err := io.WriteString(d.out, page.String())
	return err
}

// clean replaces control characters, so that a provider's text cannot move the cursor.
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
}

// shorten cuts a text to fit on one line of most terminals.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return text
}

// trouble prints below the table; the next table is printed below it.
func (d *table) trouble(err error) {
	d.lines.trouble(err)
	d.height = 0
}

func (d *table) last(pec.Status, string) error { return nil }
