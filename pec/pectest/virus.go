package pectest

import (
	"bytes"
	"strings"
)

// EICAR is the content of the harmless file that every virus scanner reports as a virus. A
// message that contains it, in any part, is infected.
const EICAR = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// eicarName is its name in the readable text and in errore-esteso.
const eicarName = "EICAR-Test-File"

// infected reports whether a decoded part, in attached messages too, contains EICAR.
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

// virusFound sends a virus detection notice for one recipient to the service mailbox of the
// sender's provider (RFC 6109, 3.2.3).
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

// virusReported handles a virus detection notice at the sender's provider: the sender gets
// a non-delivery notice from it (RFC 6109, 3.2.4).
func (p *Provider) virusReported(data *daticertData) {
	p.settled(data.CertID, data.Delivered)
	f, _ := p.network.fate(data.Delivered)
	n := data.notice(KindNonDelivery)
	n.Error, n.Delivered = "virus", data.Delivered
	n.ErrorText = Fate{Error: "virus", ErrorText: f.ErrorText}.errorText(p.name)
	p.notify(n, f)
}
