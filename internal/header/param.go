package header

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// ErrParams reports parameters of which readers disagree on which one counts: one
// is given twice, in pieces that do not fit, or among more than a hundred.
var ErrParams = errors.New("header: ambiguous parameters")

// maxParams is far above what a field has.
const maxParams = 100

// Params are the parameters of a field, each name once.
type Params []Param

// Param is one parameter. Its name is in lower case.
type Param struct{ Name, Value string }

// Get gives the value of a parameter, "" when it is absent. The name is in lower case.
func (p Params) Get(name string) string {
	for _, param := range p {
		if param.Name == name {
			return param.Value
		}
	}
	return ""
}

// ParseParams splits the value of Content-Type or Content-Disposition (RFC 2045,
// 5.1; RFC 2183) into its lower-case main value and its parameters. Unquoted values
// may hold any character but white space and a semicolon, as real mail does; RFC 2231
// values are joined and decoded. The parameters are put into room where they fit.
func ParseParams(value string, room Params) (string, Params, error) {
	main, rest, _ := strings.Cut(value, ";")
	main = strings.ToLower(strings.TrimSpace(main))
	params := room[:0]
	extended := false
	for rest != "" {
		var name, val string
		name, val, rest = nextParam(rest)
		if name == "" {
			continue
		}
		if slices.ContainsFunc(params, func(p Param) bool { return p.Name == name }) {
			return main, nil, ErrParams
		}
		if len(params) == maxParams {
			return main, nil, ErrParams
		}
		params = append(params, Param{name, val})
		extended = extended || strings.Contains(name, "*")
	}
	if !extended {
		return main, params, nil
	}
	joined, err := joinContinuations(params)
	return main, joined, err
}

// nextParam takes one name=value off s, up to and with the next semicolon.
func nextParam(s string) (name, value, rest string) {
	eq := strings.IndexAny(s, "=;")
	if eq < 0 {
		return "", "", ""
	}
	if s[eq] == ';' {
		return "", "", s[eq+1:]
	}
	name = strings.ToLower(strings.TrimSpace(s[:eq]))
	s = strings.TrimLeft(s[eq+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return name, strings.TrimSpace(value), rest
	}
	if end := strings.IndexAny(s[1:], `"\`); end >= 0 && s[1+end] == '"' {
		_, rest, _ = strings.Cut(s[1+end:], ";")
		return name, s[1 : 1+end], rest
	}
	var b strings.Builder
	i := 1
	for ; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	_, rest, _ = strings.Cut(s[min(i, len(s)):], ";")
	return name, b.String(), rest
}

// joinContinuations applies RFC 2231: name*, name*0, name*0* and so on become
// name. The plain form of the name of a file loses against the extended one, as RFC
// 6266 has it. Of any other parameter nobody writes both, and readers choose different
// ones.
func joinContinuations(given Params) (Params, error) {
	raw, params := map[string]string{}, map[string]string{}
	for _, p := range given {
		raw[p.Name] = p.Value
	}
	segments := map[string][]string{} // by base name, the numbered names
	for name, value := range raw {
		base, section, extended := strings.Cut(name, "*")
		if _, both := raw[base]; both && extended && base != "name" && base != "filename" {
			return nil, ErrParams
		}
		switch {
		case !extended:
			if _, done := params[base]; !done {
				params[base] = value
			}
		case section == "":
			params[base] = decodeExtended(value)
		default:
			segments[base] = append(segments[base], name)
		}
	}
	for base, names := range segments {
		if _, whole := raw[base+"*"]; whole {
			return nil, ErrParams
		}
		slices.SortFunc(names, func(a, b string) int { return sectionNumber(a) - sectionNumber(b) })
		var joined, charsetPrefix strings.Builder
		encoded := false
		for i, name := range names {
			if sectionNumber(name) != i {
				return nil, ErrParams
			}
			value := raw[name]
			if strings.HasSuffix(name, "*") {
				if i == 0 {
					if charset, rest, ok := cutCharset(value); ok {
						charsetPrefix.WriteString(charset)
						value = rest
					}
				}
				encoded = true
			} else {
				value = url.PathEscape(value)
			}
			joined.WriteString(value)
		}
		switch {
		case encoded:
			params[base] = decodeExtended(charsetPrefix.String() + "''" + joined.String())
		default:
			plain, err := url.PathUnescape(joined.String())
			if err != nil {
				plain = joined.String()
			}
			params[base] = plain
		}
	}
	var joined Params
	for name, value := range params {
		joined = append(joined, Param{name, value})
	}
	return joined, nil
}

// sectionNumber is the n of name*n and name*n*; -1 when it is no number.
func sectionNumber(name string) int {
	_, section, _ := strings.Cut(name, "*")
	n, err := strconv.Atoi(strings.TrimSuffix(section, "*"))
	if err != nil {
		return -1
	}
	return n
}

func cutCharset(value string) (charset, rest string, ok bool) {
	charset, rest, ok = strings.Cut(value, "'")
	if !ok {
		return "", value, false
	}
	_, rest, ok = strings.Cut(rest, "'") // the language says nothing to us
	return charset, rest, ok
}

// decodeExtended decodes charset'language'percent-encoded. What cannot be
// decoded is given as it stands.
func decodeExtended(value string) string {
	charset, rest, ok := cutCharset(value)
	if !ok {
		return value
	}
	octets, err := url.PathUnescape(rest)
	if err != nil {
		return rest
	}
	if enc, err := htmlindex.Get(charset); err == nil {
		if decoded, err := enc.NewDecoder().String(octets); err == nil {
			return decoded
		}
	}
	if !utf8.ValidString(octets) {
		return rest
	}
	return octets
}
