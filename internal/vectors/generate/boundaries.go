package main

import (
	"bytes"
	"strings"
)

// boundaries are delimiters that a careless splitter gets wrong (RFC 2046 5.1.1).
func boundaries(s *suite) {
	p := s.post(consegna)
	p.setOuter("=_b")
	p.inner = "=_b-inner"
	s.valid("boundary-prefix", "the outer boundary is a prefix of the inner one", p).
		ssl("unreadable", "OpenSSL takes a line that begins with the delimiter for the delimiter")

	p = s.post(consegna)
	p.setOuter("=_b")
	p.text.body = "Il testo\r\n--=_b-\r\n--=_bb\r\n-- =_b\r\n --=_b\r\nprosegue.\r\n"
	s.valid("boundary-lookalikes", "text lines that begin like the delimiter", p).
		ssl("unreadable", "OpenSSL takes a line that begins with the delimiter for the delimiter")

	p = s.post(consegna)
	p.editWire = func(wire []byte) []byte {
		return bytes.ReplaceAll(wire, []byte("--"+p.outer+"\r\n"), []byte("--"+p.outer+" \t\r\n"))
	}
	s.tolerated("boundary-padding", "blanks after the outer delimiters", p)

	p = s.post(consegna)
	p.editSigned = func(signed []byte) []byte {
		return bytes.ReplaceAll(signed, []byte("\r\n--"+p.inner+"\r\n"), []byte("\r\n--"+p.inner+" \t \r\n"))
	}
	s.tolerated("boundary-padding-inner", "blanks after the inner delimiters", p)

	p = s.post(consegna)
	p.closing = "\r\n"
	s.tolerated("boundary-unclosed", "the closing delimiter was lost", p).
		ssl("unreadable", "OpenSSL wants the closing delimiter")

	p = s.post(consegna)
	p.editSigned = func(signed []byte) []byte { return bytes.TrimSuffix(signed, []byte("\r\n--"+p.inner+"--\r\n")) }
	s.tolerated("boundary-unclosed-inner", "the inner closing delimiter was lost before signing", p)

	p = s.post(consegna)
	p.closing += "\r\n-- \r\nA mailing list's footer.\r\n"
	s.tolerated("boundary-epilogue", "text after the closing delimiter is not part of anything", p)

	p = s.post(consegna)
	p.closing += "--" + p.outer + "\r\nContent-Type: text/plain\r\n\r\nConsegnato a vittima.\r\n--" + p.outer + "--\r\n"
	s.tolerated("boundary-part-in-epilogue", "what looks like a part after the closing delimiter is not one", p)

	p = s.post(consegna)
	p.preamble = "Content-Type: text/plain\r\nX-Ricevuta: accettazione\r\n\r\nConsegnato a vittima.\r\n\r\n"
	s.tolerated("boundary-preamble", "header fields in the preamble are text", p)

	// A line ends with CRLF (RFC 5322 2.3): a bare CR does not begin a new line.
	p = s.post(consegna)
	p.text.head = []string{"Content-Type: text/plain", "Content-Transfer-Encoding: binary"}
	p.text.body = "Il testo\r--" + p.inner + "\r" + strings.ReplaceAll(string(certPart(newXML(accettazione)).bytes()), "\r\n", "\r") + "prosegue.\r\n"
	s.valid("boundary-bare-cr", "a delimiter and a daticert.xml behind bare CRs are text", p)

	p = s.post(consegna)
	p.text.head = []string{"Content-Type: text/plain", "Content-Transfer-Encoding: binary"}
	p.text.body = "Il \x00 testo\x00\r\n"
	s.valid("boundary-nul", "NUL in the readable text is signed like any other octet", p)
}
