package header

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// ErrParams reports parameters that programs read differently: one is given twice, or in
// pieces that do not fit together, or there are more than a hundred.
var ErrParams = errors.New("header: ambiguous parameters")

// maxParams limits the parameters of a field. Mail has far fewer.
const maxParams = 100

// Params are the parameters of a field, each name once.
type Params []Param

// Param is one parameter. Its name is in lower case.
type Param struct{ Name, Value string }

// Get returns the value of a parameter, "" if it is absent. The name is in lower case.
func (p Params) Get(name string) string {
	for _, param := range p {
		if param.Name == name {
			return param.Value
		}
	}
	return ""
}

// ParseParams splits the value of Content-Type or Content-Disposition (RFC 2045, 5.1;
// RFC 2183) into its main value, in lower case, and its parameters. An unquoted value may
// hold any character except a semicolon, as in real mail. RFC 2231 values are joined and
// decoded. The parameters are stored in room if they fit.
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
			return main, nil, fmt.Errorf("%w: %.200q is given twice", ErrParams, name)
		}
		if len(params) == maxParams {
			return main, nil, fmt.Errorf("%w: more than %d", ErrParams, maxParams)
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

// nextParam cuts one name=value off s, with the semicolon after it.
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

// joinContinuations applies RFC 2231: name*, name*0, name*0* and so on become name. For a
// file name the extended form takes precedence over the plain one, as in RFC 6266. For any
// other parameter both forms together are an error: nobody writes both, and programs
// disagree on which one wins.
func joinContinuations(given Params) (Params, error) {
	raw, params := map[string]string{}, map[string]string{}
	for _, p := range given {
		raw[p.Name] = p.Value
	}
	segments := map[string][]string{} // the numbered names, by base name
	for name, value := range raw {
		base, section, extended := strings.Cut(name, "*")
		if _, both := raw[base]; both && extended && base != "name" && base != "filename" {
			return nil, fmt.Errorf("%w: %.200q is given in plain and in extended form", ErrParams, base)
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
			return nil, fmt.Errorf("%w: %.200q is given whole and in pieces", ErrParams, base)
		}
		slices.SortFunc(names, func(a, b string) int { return sectionNumber(a) - sectionNumber(b) })
		var joined, charsetPrefix strings.Builder
		encoded := false
		for i, name := range names {
			if sectionNumber(name) != i {
				return nil, fmt.Errorf("%w: the pieces of %.200q are not numbered from 0 without gaps", ErrParams, base)
			}
			value := raw[name]
			if strings.HasSuffix(name, "*") {
				if i == 0 {
					if label, rest, ok := cutCharset(value); ok {
						charsetPrefix.WriteString(label)
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

// sectionNumber returns the n of name*n and name*n*, -1 if it is not a number.
func sectionNumber(name string) int {
	_, section, _ := strings.Cut(name, "*")
	n, err := strconv.Atoi(strings.TrimSuffix(section, "*"))
	if err != nil {
		return -1
	}
	return n
}

// cutCharset cuts the charset and the language, which is ignored, off an extended value.
func cutCharset(value string) (label, rest string, ok bool) {
	label, rest, ok = strings.Cut(value, "'")
	if !ok {
		return "", value, false
	}
	_, rest, ok = strings.Cut(rest, "'")
	return label, rest, ok
}

// decodeExtended decodes charset'language'percent-encoded. A value that cannot be decoded
// is returned as it is.
func decodeExtended(value string) string {
	label, rest, ok := cutCharset(value)
	if !ok {
		return value
	}
	octets, err := url.PathUnescape(rest)
	if err != nil {
		return rest
	}
	if enc, err := htmlindex.Get(label); err == nil {
		if decoded, err := enc.NewDecoder().String(octets); err == nil {
			return decoded
		}
	}
	if !utf8.ValidString(octets) {
		return rest
	}
	return octets
}
