package inbound

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"io"
	"strings"

	"github.com/gopec/gopec/internal/charset"
)

// Form is what the content of an attachment looks like, for programs that file it. It
// verifies nothing: a signature may be false or broken. The set is closed.
type Form string

// The forms.
const (
	FormP7M       Form = "p7m"        // a file inside its CMS signature (CAdES, .p7m), in DER, base64 or PEM
	FormSignedPDF Form = "signed-pdf" // a PDF with a signature inside (PAdES): it holds /ByteRange
	FormInvoice   Form = "invoice"    // an electronic invoice (FatturaPA): XML with the root FatturaElettronica or FatturaElettronicaSemplificata
	FormSegnatura Form = "segnatura"  // XML named segnatura.xml, ignoring case: the registry data of a public body (segnatura di protocollo)
	FormXML       Form = "xml"        // other XML
	FormMessage   Form = "message"    // an attached message
	FormOther     Form = "other"      // anything else
)

// maxHead is how much of the beginning of a file decides its form, in bytes.
const maxHead = 4 << 10

// byteRange is a key that every signature in a PDF has (ISO 32000-1, 12.8.1).
var byteRange = []byte("/ByteRange")

// sniffer is a writer that finds the form of the file written to it.
type sniffer struct {
	head      []byte
	tail      []byte // the last bytes, in which byteRange may begin
	byteRange bool
}

func (s *sniffer) Write(p []byte) (int, error) {
	s.head = append(s.head, p[:min(len(p), maxHead-len(s.head))]...)
	if s.isPDF() && !s.byteRange {
		edge := append(s.tail, p[:min(len(p), len(byteRange))]...)
		s.byteRange = bytes.Contains(edge, byteRange) || bytes.Contains(p, byteRange)
		if len(p) >= len(byteRange) {
			edge = p
		}
		s.tail = append(s.tail[:0], edge[max(0, len(edge)-len(byteRange)+1):]...)
	}
	return len(p), nil
}

func (s *sniffer) form(mediaType, name string) Form {
	name = strings.ToLower(strings.TrimSpace(name))
	switch {
	case mediaType == "message/rfc822" || mediaType == "message/global":
		return FormMessage
	case s.isPDF() && s.byteRange:
		return FormSignedPDF
	case s.isSignedData() && !isDetached(mediaType, name):
		return FormP7M
	case !s.isXML(mediaType, name):
		return FormOther
	case name == "segnatura.xml":
		return FormSegnatura
	}
	switch s.xmlRoot() {
	case "FatturaElettronica", "FatturaElettronicaSemplificata":
		return FormInvoice
	default:
		return FormXML
	}
}

// isPDF looks for the mark within the first 1024 bytes, as PDF readers do.
func (s *sniffer) isPDF() bool {
	return bytes.Contains(s.head[:min(len(s.head), 1024)], []byte("%PDF-"))
}

// signedData is the object identifier 1.2.840.113549.1.7.2 (RFC 5652, 5.1) in DER.
var signedData = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// isSignedData reports whether the file begins like a ContentInfo with SignedData, in
// DER or in base64: many .p7m files are base64 text.
func (s *sniffer) isSignedData() bool {
	der := s.head
	text := bytes.TrimSpace(bytes.TrimPrefix(der, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		if _, body, found := bytes.Cut(text, []byte("\n")); found {
			text = body
		}
	}
	if compact := bytes.Join(bytes.Fields(text), nil); bytes.HasPrefix(compact, []byte("MI")) {
		decoded := make([]byte, 48)
		n, _ := base64.StdEncoding.Decode(decoded, compact[:min(len(compact), 64)/4*4])
		der = decoded[:n]
	}
	// The tag, the length in up to five bytes, and the identifier.
	at := bytes.Index(der[:min(len(der), 6+len(signedData))], signedData)
	return at >= 2 && der[0] == 0x30
}

// isDetached reports whether the label says that the signature is apart from what it signs.
func isDetached(mediaType, name string) bool {
	return strings.HasSuffix(mediaType, "pkcs7-signature") || strings.HasSuffix(name, ".p7s")
}

func (s *sniffer) isXML(mediaType, name string) bool {
	if mediaType != "text/xml" && mediaType != "application/xml" && !strings.HasSuffix(mediaType, "+xml") && !strings.HasSuffix(name, ".xml") {
		return false
	}
	return strings.HasPrefix(strings.TrimSpace(s.text()), "<")
}

// text returns the head as text: XML is in UTF-8 unless it begins with the mark of UTF-16.
func (s *sniffer) text() string {
	label := "utf-8"
	for mark, utf16 := range map[string]string{"\xff\xfe": "utf-16le", "\xfe\xff": "utf-16be"} {
		if bytes.HasPrefix(s.head, []byte(mark)) {
			label = utf16
		}
	}
	text, _ := charset.Decode(label, s.head)
	return strings.TrimPrefix(text, "\ufeff")
}

// xmlRoot returns the local name of the root element; "" when it is not in the head.
func (s *sniffer) xmlRoot() string {
	d := xml.NewDecoder(strings.NewReader(s.text()))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := d.RawToken()
		if err != nil {
			return ""
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local
		}
	}
}
