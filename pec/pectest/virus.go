package pectest

import (
	"bytes"
	"strings"
)

// EICAR is the harmless file that every virus scanner takes for a virus. A
// message that holds it, in any part, is infected.
const EICAR = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// eicarName is what the readable text and errore-esteso call it.
const eicarName = "EICAR-Test-File"

// infected looks for EICAR in the decoded parts, attached messages included.
func infected(e entity) bool {
	body := e.raw[e.body:]
	mediaType, params := e.mediaType()
	if strings.HasPrefix(mediaType, "multipart/") {
		for _, at := range splitParts(body, params["boundary"]) {
			if infected(parseEntity(body[at[0]:at[1]])) {
				return true
			}
		}
		return false
	}
	content, err := decodeBody(body, e.get("Content-Transfer-Encoding"))
	if err != nil {
		content = body
	}
	if mediaType == "message/rfc822" {
		return infected(parseEntity(content))
	}
	return bytes.Contains(content, []byte(EICAR))
}

// virusFound tells the sender's provider of a virus, recipient by recipient, at
// its service mailbox (RFC 6109, 3.2.3).
func (p *Provider) virusFound(env *received, address string, f Fate) {
	sender := p.network.ProviderOf(env.data.Sender)
	if sender == nil {
		return
	}
	n := env.data.notice(KindVirusDetection)
	n.Error, n.ErrorText, n.Delivered = "virus", eicarName, address
	n.Header = []Field{{"To", sender.ServiceMailbox()}, {"X-Mittente", n.Sender}}
	p.post(n, sender.ServiceMailbox(), f)
}

// virusReported is the sender's provider hearing of it: it gives the sender a
// non-delivery notice of its own (RFC 6109, 3.2.4).
func (p *Provider) virusReported(data *daticertData) {
	p.settled(data.CertID, data.Delivered)
	f, _ := p.network.fate(data.Delivered)
	n := data.notice(KindNonDelivery)
	n.Error, n.Delivered = "virus", data.Delivered
	n.ErrorText = Fate{Error: "virus", ErrorText: f.ErrorText}.errorText(p.name)
	p.notify(n, f)
}
