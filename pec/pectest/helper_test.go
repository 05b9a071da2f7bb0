package pectest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

const (
	mario = "mario@alfa-pec.example"
	anna  = "anna@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
	bruna = "bruna@beta-pec.example"
)

func dialSMTP(t *testing.T, n *pectest.Network, address string) *smtp.Client {
	t.Helper()
	c, err := smtp.DialTLS(n.ProviderOf(address).SMTPAddr(), &tls.Config{RootCAs: n.TLSRoots()})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// loginSMTP gives a client that is logged in as the owner of address.
func loginSMTP(t *testing.T, n *pectest.Network, address string) *smtp.Client {
	t.Helper()
	a, ok := n.Account(address)
	require.True(t, ok)
	c := dialSMTP(t, n, address)
	require.NoError(t, c.Auth(sasl.NewPlainClient("", a.Login, a.Password)))
	return c
}

// hand hands in raw and gives the server's answer to the message.
func hand(t *testing.T, n *pectest.Network, from string, to []string, raw string) (*smtp.DataResponse, error) {
	t.Helper()
	c := loginSMTP(t, n, from)
	require.NoError(t, c.Mail(from, nil))
	for _, r := range to {
		require.NoError(t, c.Rcpt(r, nil))
	}
	w, err := c.Data()
	require.NoError(t, err)
	_, err = io.WriteString(w, raw)
	require.NoError(t, err)
	return w.CloseWithResponse()
}

// submit hands in raw and waits until the network is quiet.
func submit(t *testing.T, n *pectest.Network, from string, to []string, raw string) {
	t.Helper()
	reply, err := hand(t, n, from, to, raw)
	require.NoError(t, err)
	require.Regexp(t, `^2\.0\.0 Ok: queued as \w+$`, reply.StatusText)
	idle(t, n)
}

func idle(t *testing.T, n *pectest.Network) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, n.Idle(ctx))
}

func loginIMAP(t *testing.T, n *pectest.Network, address string, options *imapclient.Options) *imapclient.Client {
	t.Helper()
	a, ok := n.Account(address)
	require.True(t, ok)
	if options == nil {
		options = &imapclient.Options{}
	}
	options.TLSConfig = &tls.Config{RootCAs: n.TLSRoots()}
	c, err := imapclient.DialTLS(n.ProviderOf(address).IMAPAddr(), options)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.Login(a.Login, a.Password).Wait())
	return c
}

// inbox reads INBOX over IMAP, and checks that it is what Messages gives.
func inbox(t *testing.T, n *pectest.Network, address string) []message {
	t.Helper()
	c := loginIMAP(t, n, address, nil)
	selected, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	require.NoError(t, err)
	direct, err := n.ProviderOf(address).Messages(address, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, direct, int(selected.NumMessages))
	if selected.NumMessages == 0 {
		return nil
	}
	fetched, err := c.Fetch(imap.SeqSet{imap.SeqRange{Start: 1}}, &imap.FetchOptions{
		BodySection: []*imap.FetchItemBodySection{{Peek: true}},
	}).Collect()
	require.NoError(t, err)
	var all []message
	for i, f := range fetched {
		raw := f.FindBodySection(&imap.FetchItemBodySection{Peek: true})
		require.Equal(t, string(direct[i]), string(raw))
		all = append(all, parse(t, raw))
	}
	return all
}

// message is an emitted message as the standard library reads it.
type message struct {
	raw       []byte
	header    mail.Header
	text      string
	data      daticert
	xml       string
	postacert []byte // nil when there is none
	names     []string
}

type recipient struct {
	Type    string `xml:"tipo,attr"`
	Address string `xml:",chardata"`
}

type daticert struct {
	XMLName    xml.Name    `xml:"postacert"`
	Kind       string      `xml:"tipo,attr"`
	Error      string      `xml:"errore,attr"`
	Sender     string      `xml:"intestazione>mittente"`
	Recipients []recipient `xml:"intestazione>destinatari"`
	ReplyTo    string      `xml:"intestazione>risposte"`
	Subject    *string     `xml:"intestazione>oggetto"`
	Provider   string      `xml:"dati>gestore-emittente"`
	Date       struct {
		Zone string `xml:"zona,attr"`
		Day  string `xml:"giorno"`
		Time string `xml:"ora"`
	} `xml:"dati>data"`
	CertID    string  `xml:"dati>identificativo"`
	MessageID *string `xml:"dati>msgid"`
	Receipt   *struct {
		Kind string `xml:"tipo,attr"`
	} `xml:"dati>ricevuta"`
	Delivered *string  `xml:"dati>consegna"`
	Taken     []string `xml:"dati>ricezione"`
	ErrorText *string  `xml:"dati>errore-esteso"`
}

func parse(t *testing.T, raw []byte) message {
	t.Helper()
	require.Zero(t, bytes.Count(raw, []byte("\n"))-bytes.Count(raw, []byte("\r\n")), "bare LF")
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	require.NoError(t, err)
	out := message{raw: raw, header: m.Header}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/signed", kind)
	require.Equal(t, "application/x-pkcs7-signature", params["protocol"])
	require.Equal(t, "sha-256", params["micalg"])
	body, err := io.ReadAll(m.Body)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(body, []byte("This is an S/MIME signed message\r\n\r\n--")))
	outer := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	mixed, err := outer.NextRawPart()
	require.NoError(t, err)
	kind, params, err = mime.ParseMediaType(mixed.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/mixed", kind)
	inner := multipart.NewReader(mixed, params["boundary"])
	for {
		p, err := inner.NextRawPart()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(p)
		require.NoError(t, err)
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		require.NoError(t, err)
		out.names = append(out.names, strings.TrimSpace(kind+" "+params["name"]))
		switch params["name"] {
		case "":
			out.text = string(content)
		case "daticert.xml":
			require.Equal(t, "base64", p.Header.Get("Content-Transfer-Encoding"))
			data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(content)))
			require.NoError(t, err)
			require.NoError(t, xml.Unmarshal(data, &out.data))
			out.xml = string(data)
		case "postacert.eml":
			out.postacert = content
		}
	}
	p7s, err := outer.NextRawPart()
	require.NoError(t, err)
	require.Equal(t, `application/x-pkcs7-signature; name="smime.p7s"`, p7s.Header.Get("Content-Type"))
	_, err = outer.NextRawPart()
	require.Equal(t, io.EOF, err)
	return out
}

// plain writes a simple message; extra are whole header lines.
func plain(id, from, to string, extra ...string) string {
	lines := []string{"From: " + from, "To: " + to}
	if id != "" {
		lines = append(lines, "Message-ID: "+id)
	}
	lines = append(lines, extra...)
	return strings.Join(lines, "\r\n") + "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nBuongiorno.\r\n"
}

func kinds(messages []message) []string {
	var out []string
	for _, m := range messages {
		k := m.data.Kind
		if m.data.Delivered != nil {
			k = fmt.Sprintf("%s %s", k, *m.data.Delivered)
		}
		out = append(out, k)
	}
	return out
}
