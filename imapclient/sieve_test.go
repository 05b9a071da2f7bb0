package imapclient

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSieve lists what the library reads of each response, in pieces of any size.
func TestSieve(t *testing.T) {
	const same = "same"
	cases := []struct {
		says, heard string
		err         error
	}{
		{"* OK [CAPABILITY IMAP4rev1 IDLE] (hello) \"{5}\r\nT1 OK\r\n", same, nil},
		{"* FLAGS (\\Seen $x)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n* 3 EXISTS\r\n", same, nil},
		{"* 1 fetch (uid 4 BODY[HEADER.FIELDS (A \"]\" B)]<0> {5}\r\n(\"((\n FLAGS (\\Seen) MODSEQ (4))\r\n", same, nil},
		{"* 1 FETCH (UID 4 BODY[] {0}\r\n)\r\n* SEARCH 1 2 3 (MODSEQ 4)\r\n", same, nil},
		{"* LIST (\\Sent) \"/\" {4}\r\nSent (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n* LIST () NIL \"a\\\"(\\\\\"\r\n", same, nil},
		{"* ESEARCH (TAG \"T3\") UID ALL 1:4,7\r\n* QUOTA \"\" (STORAGE 1 2)\r\n", same, nil},
		{"* XFOO ((( \"\r\n* 4 VANISHED {3}\r\n* O\r\n* 1 RECENT\r\n", "* 1 RECENT\r\n", nil},
		{"* THREAD ((1)(2\r\n* NAMESPACE {}\r\n* ID {2} x\r\nT1 OK\r\n", "T1 OK\r\n", nil},
		{"+ go\r\n", same, nil},
		{"* CAPABILITY IMAP4rev1 (", "", errStrange},
		{"* OK [capability (", "", errStrange},
		{"T1 NO [CAPABILITY A (", "", errStrange},
		{"* OK [X y\r\n", "", errStrange},
		{"* OK [COPYUID 1", "", errStrange},
		{"* 1 FETCH (ENVELOPE (", "", errStrange},
		{"* 1 FETCH (BODY (", "", errStrange},
		{"* 1 FETCH (bodystructure(", "", errStrange},
		{"* 1 FETCH (UID 1 FLAGS (((((", "", errStrange},
		{"* LIST () \"\r\n", "", errStrange},
		{"* LIST () {x", "", errStrange},
		{"* LIST () {99999999999999999999}", "", errStrange},
		{"* LIST (\r\n", "", errStrange},
		{"\r\n", "", errStrange},
		{strings.Repeat("x", maxLine+1), "", errStrange},
		{"* CAPABILITY " + strings.Repeat("x", maxWords), "", errFlood},
	}
	require.Len(t, cases, 25)
	for _, c := range cases {
		for _, size := range []int{1, 3, len(c.says)} {
			s := &sieve{}
			var err error
			for rest := []byte(c.says); len(rest) > 0 && err == nil; {
				piece := rest[:min(size, len(rest))]
				var n int
				n, _, err = s.sift(piece)
				rest = rest[n:]
			}
			name := c.says[:min(len(c.says), 60)]
			if c.err != nil {
				assert.ErrorIs(t, err, c.err, "%q", name)
				continue
			}
			heard := c.heard
			if heard == same {
				heard = c.says
			}
			assert.NoError(t, err, "%q", name)
			assert.Equal(t, heard, string(s.out), "%q", name)
		}
	}
}
