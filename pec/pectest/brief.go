package pectest

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"
)

// BriefHash is a way to read the rule on the hash in a brief delivery notice.
// RFC 6109, 3.3.2.2 says both "the entire content of the part" and "calculated on
// base64 encoded parts", and not where the last line ends.
type BriefHash string

// The readings; the name says what SHA-1 is taken of.
const (
	BriefHashDecoded       BriefHash = "decoded"         // the decoded octets; so is the zero value
	BriefHashEncoded       BriefHash = "encoded"         // the body as it is encoded, CRLF lines, without the last line end
	BriefHashEncodedLine   BriefHash = "encoded-line"    // the same, with the last line end
	BriefHashEncodedLF     BriefHash = "encoded-lf"      // as BriefHashEncoded, with LF for CRLF
	BriefHashEncodedLFLine BriefHash = "encoded-lf-line" // the same, with the last line end
)

func (h BriefHash) content(e entity) []byte {
	body := e.raw[e.body:]
	if h == BriefHashDecoded || h == "" {
		content, err := decodeBody(body, e.get("Content-Transfer-Encoding"))
		if err != nil {
			return body // not decodable: the octets there are
		}
		return content
	}
	body = append(bytes.TrimRight(bytes.Clone(body), "\r\n"), "\r\n"...)
	if h == BriefHashEncodedLF || h == BriefHashEncodedLFLine {
		body = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	}
	if h == BriefHashEncoded || h == BriefHashEncodedLF {
		body = bytes.TrimRight(body, "\r\n")
	}
	return body
}

// brief abridges an original for a brief delivery notice (RFC 6109, 3.3.2.2):
// each part with a file name, and each attached message, becomes a text file
// with its SHA-1 in hex. The rest keeps its bytes.
func brief(raw []byte, reading BriefHash) []byte { return briefEntity(raw, reading, true) }

func briefEntity(raw []byte, reading BriefHash, top bool) []byte {
	e := parseEntity(raw)
	mediaType, params := e.mediaType()
	if top && (mediaType == "application/pkcs7-mime" || mediaType == "application/x-pkcs7-mime") {
		return raw // the attachments cannot be told apart inside a CMS object
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		body := raw[e.body:]
		var out bytes.Buffer
		out.Write(raw[:e.body])
		pos := 0
		for i, at := range splitParts(body, params["boundary"]) {
			if top && mediaType == "multipart/signed" && i > 0 {
				break // the sender's signature stays as it is
			}
			out.Write(body[pos:at[0]])
			out.Write(briefEntity(body[at[0]:at[1]], reading, false))
			pos = at[1]
		}
		out.Write(body[pos:])
		return out.Bytes()
	}
	name := fileName(e, params)
	if name == "" && mediaType == "message/rfc822" {
		name = "message.eml"
	}
	if name == "" {
		return raw
	}
	return hashFile(e, reading, name+".hash")
}

// fileName gives the name of an attachment, "" when the part is none.
func fileName(e entity, contentType map[string]string) string {
	if _, params, err := mime.ParseMediaType(e.get("Content-Disposition")); err == nil && params["filename"] != "" {
		return decodeText(params["filename"])
	}
	return decodeText(contentType["name"])
}

// hashFile replaces a part by the text file that holds its hash. Fields that do
// not describe the content stay: the part may be the whole message.
func hashFile(e entity, reading BriefHash, name string) []byte {
	sum := sha1.Sum(reading.content(e))
	var out bytes.Buffer
	for _, f := range e.fields {
		switch strings.ToLower(f.Name) {
		case "content-type", "content-transfer-encoding", "content-disposition":
		default:
			out.Write(e.raw[f.start:f.end])
		}
	}
	for _, f := range []Field{
		{"Content-Type", mime.FormatMediaType("text/plain", map[string]string{"name": name})},
		{"Content-Transfer-Encoding", "7bit"},
		{"Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name})},
	} {
		fmt.Fprintf(&out, "%s: %s\r\n", f.Name, f.Value)
	}
	out.WriteString("\r\n" + hex.EncodeToString(sum[:]))
	return out.Bytes()
}
