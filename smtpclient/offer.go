package smtpclient

import (
	"slices"
	"strconv"
	"strings"
)

// offer is what a server says about itself in its reply to EHLO (RFC 5321, 4.1.1.1).
type offer struct {
	server       string
	capabilities []string // keyword and parameters, the keyword in upper case
	mechanisms   []string // of AUTH (RFC 4954, 3), in upper case
	size         int64    // the largest message in bytes (RFC 1870, 4), zero when there is no limit
}

// readOffer parses the lines of the reply to EHLO, without their codes.
func readOffer(text string) offer {
	lines := strings.Split(text, "\n")
	o := offer{}
	o.server, _, _ = strings.Cut(lines[0], " ")
	for _, line := range lines[1:] {
		// Old servers also say "AUTH=PLAIN LOGIN".
		keyword, parameters, _ := strings.Cut(line, " ")
		keyword = strings.ToUpper(keyword)
		o.capabilities = append(o.capabilities, strings.TrimSpace(keyword+" "+parameters))
		name, first, _ := strings.Cut(keyword, "=")
		words := strings.Fields(strings.ToUpper(first + " " + parameters))
		switch {
		case name == "AUTH":
			o.mechanisms = append(o.mechanisms, words...)
		case name == "SIZE" && len(words) > 0:
			if n, err := strconv.ParseInt(words[0], 10, 64); err == nil && n > 0 {
				o.size = n
			}
		}
	}
	slices.Sort(o.mechanisms)
	o.mechanisms = slices.Compact(o.mechanisms)
	return o
}

// has reports whether a keyword is offered.
func (o offer) has(keyword string) bool {
	return slices.ContainsFunc(o.capabilities, func(c string) bool {
		word, _, _ := strings.Cut(c, " ")
		return word == keyword
	})
}
