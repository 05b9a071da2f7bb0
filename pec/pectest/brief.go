package pectest

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"
)

// BriefHash is one reading of the rule on the hash in a brief delivery notice. RFC 6109,
// 3.3.2.2 says both "the entire content of the part" and "calculated on base64 encoded
// parts", and does not say where the last line ends.
type BriefHash string

// The readings: what the SHA-1 is computed over.
const (
	BriefHashDecoded       BriefHash = "decoded"         // the decoded bytes; the zero value means the same
	BriefHashEncoded       BriefHash = "encoded"         // the encoded body with CRLF lines, without the last line end
	BriefHashEncodedLine   BriefHash = "encoded-line"    // the encoded body with CRLF lines, with the last line end
	BriefHashEncodedLF     BriefHash = "encoded-lf"      // the encoded body with LF lines, without the last line end
	BriefHashEncodedLFLine BriefHash = "encoded-lf-line" // the encoded body with LF lines, with the last line end
)

func (h BriefHash) content(e entity) []byte {
	body := e.raw[e.body:]
	if h == BriefHashDecoded || h == "" {
		content, err := decodeBody(body, e.get("Content-Transfer-Encoding"))
		if err != nil {
			return body // it cannot be decoded, so the encoded bytes count
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
// each part with a file name, and each attached message, becomes a text file with
// its SHA-1 in hex. All other bytes stay the same.
func brief(raw []byte, reading BriefHash) []byte { return briefEntity(raw, reading, true) }

func briefEntity(raw []byte, reading BriefHash, top bool) []byte {
	e := parseEntity(raw)
	mediaType, params := e.mediaType()
	if top && (mediaType == "application/pkcs7-mime" || mediaType == "application/x-pkcs7-mime") {
		return raw // attachments inside a CMS object cannot be separated
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		body := raw[e.body:]
		var out bytes.Buffer
		out.Write(raw[:e.body])
		pos := 0
		for i, at := range splitParts(body, params["boundary"]) {
			if top && mediaType == "multipart/signed" && i > 0 {
				break // the sender's signature stays unchanged
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

// fileName returns the name of an attachment; "" when the part is not one.
func fileName(e entity, contentType map[string]string) string {
	if _, params, err := mime.ParseMediaType(e.get("Content-Disposition")); err == nil && params["filename"] != "" {
		return decodeText(params["filename"])
	}
	return decodeText(contentType["name"])
}

// hashFile returns the text file with the hash that replaces a part. Fields that do not
// describe the content stay, because the part may be the whole message.
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
