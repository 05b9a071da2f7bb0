package receipt

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/mailtext"
)

// field is a header field in the form that is compared, or lines that are not a field.
type field struct {
	lines string // as they are, with LF between them
	name  string // as written; "" for lines that are not a field
	value string // unfolded, without blanks around it; the same as lines if a line is too long
	clean bool   // printable ASCII in lines of allowed length: every program shows the same
}

// readFields reads every line of a header, also those that are not a field. Programs
// disagree on the latter: some skip such a line, for others it ends the header.
func readFields(r io.Reader) ([]field, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var fields []field
	var lines []string // the lines of the field being read
	end := func() {
		if lines != nil {
			fields = append(fields, newField(lines))
		}
		lines = nil
	}
	for line := range strings.Lines(string(raw)) {
		if text, found := strings.CutSuffix(line, "\n"); found {
			line = strings.TrimSuffix(text, "\r")
		}
		if line == "" {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			end()
		}
		lines = append(lines, line)
	}
	end()
	return fields, nil
}

// newField returns the field in lines: RFC 5322, 2.2. Lines with a control character, a
// bare CR included, are not a field; nor is a field with a continuation line of only
// white space.
func newField(lines []string) field {
	f := field{lines: strings.Join(lines, "\n")}
	name, _, found := strings.Cut(lines[0], ":")
	if !found || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return f
	}
	long := false
	for i, line := range lines {
		if i > 0 && strings.Trim(line, " \t") == "" || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' }) {
			return f
		}
		long = long || len(line) > mailtext.MaxLine
	}
	f.name = name
	if long {
		f.value = f.lines // programs cut long lines, so the folding matters
		return f
	}
	text := strings.Join(lines, "")
	f.value = strings.Trim(text[len(name)+1:], " \t")
	f.clean = !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
	return f
}

// plainHeader reports whether a header consists of fields only, each once, and none that
// mail programs act upon. Parts that a hash replaces, and the hashes, must have such a
// header: the hash does not cover it.
func plainHeader(r io.Reader) (bool, error) {
	fields, err := readFields(r)
	if err != nil {
		return false, err
	}
	seen := map[string]bool{}
	for _, f := range fields {
		name := strings.ToLower(f.name)
		if name == "" || seen[name] || isActedUpon(name) {
			return false, nil
		}
		seen[name] = true
	}
	return true, nil
}

// compareHeader compares all lines of two headers. Fields of different names may be in
// another order. From the first line that is not a field, everything must be the same.
func (c *comparison) compareHeader(ours, theirs content, replaced bool) {
	sent, delivered := afterFields(ours.fields), afterFields(theirs.fields)
	if !slices.EqualFunc(sent, delivered, func(a, b field) bool { return a.lines == b.lines }) {
		c.differ("header", "%.200q is no field, and what readers make of it and what follows was changed", slices.Concat(sent, delivered)[0].lines)
	}
	c.compareFields(ours, theirs, replaced)
}

// afterFields returns the first lines that are not a field, and everything after them.
func afterFields(fields []field) []field {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == "" })
	if i < 0 {
		return nil
	}
	return fields[i:]
}

// compareFields compares the fields of each name.
func (c *comparison) compareFields(ours, theirs content, replaced bool) {
	sent, delivered := fieldsByName(ours.fields), fieldsByName(theirs.fields)
	compared := map[string]bool{"": true}
	for _, f := range slices.Concat(ours.fields, theirs.fields) {
		name := strings.ToLower(f.name)
		if compared[name] {
			continue
		}
		compared[name] = true
		s, d := sent[name], delivered[name]
		isReplaced := replaced && slices.Contains(replacedFields, name) && len(s) <= 1 && len(d) <= 1
		if !isReplaced && !sameValues(s, d) && !mayDiffer(name, s, d, sent["message-id"]) {
			c.differ(f.name, "%.200s was sent, %.200s delivered", quoted(s), quoted(d))
		}
	}
}

// replacedFields are the fields that describe the content of a part. Those of a hash
// replace them.
var replacedFields = []string{"content-type", "content-transfer-encoding", "content-disposition"}

func fieldsByName(fields []field) map[string][]field {
	m := map[string][]field{}
	for _, f := range fields {
		name := strings.ToLower(f.name)
		m[name] = append(m[name], f)
	}
	return m
}

func sameValues(a, b []field) bool {
	return slices.EqualFunc(a, b, func(a, b field) bool { return a.value == b.value })
}

func quoted(fields []field) string {
	values := []string{}
	for _, f := range fields {
		values = append(values, f.value)
	}
	return fmt.Sprintf("%q", values)
}

// mayDiffer reports whether the fields of one name differ only as a provider may change
// them: RFC 6109, 2.2.1 and 3.1.5. A provider may replace the Message-ID and cite the one
// that was sent, put its trace on top, and add X- fields of its own.
func mayDiffer(name string, sent, delivered, sentID []field) bool {
	added := len(delivered) - len(sent)
	switch name {
	case "message-id":
		return len(sent) <= 1 && len(delivered) == 1 && allClean(delivered)
	case "x-riferimento-message-id":
		return len(sent) == 0 && len(delivered) == 1 && allClean(delivered) &&
			len(sentID) == 1 && envelope.SameMessageID(delivered[0].value, sentID[0].value)
	case "return-path":
		return allClean(sent) && allClean(delivered)
	case "received":
		return added > 0 && allClean(delivered[:added]) && sameValues(sent, delivered[added:])
	default:
		return len(sent) == 0 && isProvidersName(name) && allClean(delivered) && !isActedUpon(name)
	}
}

// isProvidersName reports whether a provider may add a field of the given name, in lower
// case. RFC 5322, 3.6.8 allows further characters, but some programs refuse a message that
// has them.
func isProvidersName(name string) bool {
	rest, ok := strings.CutPrefix(name, "x-")
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

func allClean(fields []field) bool {
	return !slices.ContainsFunc(fields, func(f field) bool { return !f.clean })
}

// actedUpon are the X- fields that mean something to mail programs or to PEC. A provider
// has no reason to add them to its customer's message.
var actedUpon = []string{
	"x-tiporicevuta", "x-ricevuta", "x-trasporto", "x-verificasicurezza", "x-mittente",
	"x-message-flag", "x-unsent", "x-priority", "x-msmail-priority", "x-face", "x-confirm-reading-to",
}

func isActedUpon(name string) bool {
	return slices.Contains(actedUpon, name) || strings.HasPrefix(name, "x-mozilla-")
}
