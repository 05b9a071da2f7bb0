package pectest_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
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

// dialSMTP connects to the submission server of the provider of address.
func dialSMTP(t *testing.T, n *pectest.Network, address string) *smtp.Client {
	t.Helper()
	a := n.Access(address)
	c, err := smtp.DialTLS(a.SMTP, a.TLS)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// loginSMTP returns a client that is logged in as the owner of address.
func loginSMTP(t *testing.T, n *pectest.Network, address string) *smtp.Client {
	t.Helper()
	a := n.Access(address)
	c := dialSMTP(t, n, address)
	require.NoError(t, c.Auth(sasl.NewPlainClient("", a.Login, a.Password)))
	return c
}

// hand hands in a raw message and returns the server's answer to it.
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

// submit hands in a raw message and waits until the network has processed it.
func submit(t *testing.T, n *pectest.Network, from string, to []string, raw string) {
	t.Helper()
	reply, err := hand(t, n, from, to, raw)
	require.NoError(t, err)
	require.Regexp(t, `^2\.0\.0 Ok: queued as \w+$`, reply.StatusText)
	idle(t, n)
}

// idle waits until the network has processed everything.
func idle(t *testing.T, n *pectest.Network) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, n.Idle(ctx))
}

// loginIMAP returns a client that is logged in as the owner of address.
func loginIMAP(t *testing.T, n *pectest.Network, address string, options *imapclient.Options) *imapclient.Client {
	t.Helper()
	a := n.Access(address)
	if options == nil {
		options = &imapclient.Options{}
	}
	options.TLSConfig = a.TLS
	c, err := imapclient.DialTLS(a.IMAP, options)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.Login(a.Login, a.Password).Wait())
	return c
}

// inbox reads INBOX over IMAP, and checks that Messages returns the same.
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

// message is an emitted message, parsed by the standard library.
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

// parse checks the outer form of an emitted message and reads it.
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

// plain returns a simple message; extra are whole header lines.
func plain(id, from, to string, extra ...string) string {
	lines := []string{"From: " + from, "To: " + to}
	if id != "" {
		lines = append(lines, "Message-ID: "+id)
	}
	lines = append(lines, extra...)
	return strings.Join(lines, "\r\n") + "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nBuongiorno.\r\n"
}

// kinds returns the kind of each message, with the recipient that it is about.
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

// one starts a network of one provider with one account, mario's.
func one(t *testing.T, o pectest.ProviderOptions, a pectest.Account) (*pectest.Network, *pectest.Provider) {
	t.Helper()
	o.Domain, a.Address = "alfa-pec.example", mario
	if a.Password == "" {
		a.Password = "p"
	}
	o.Accounts = []pectest.Account{a}
	n := pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{o}})
	return n, n.Providers()[0]
}

// pair returns the options of a network of two providers, the first with the options under
// test.
func pair(o pectest.ProviderOptions) *pectest.Options {
	o.Domain, o.Name = "alfa-pec.example", "Alfa"
	o.Accounts = []pectest.Account{{Address: mario, Password: "p"}, {Address: anna, Password: "p"}}
	return &pectest.Options{Providers: []pectest.ProviderOptions{o,
		{Name: "Beta", Domain: "beta-pec.example", Accounts: []pectest.Account{{Address: luigi, Password: "p"}, {Address: bruna, Password: "p"}}}}}
}

// notices reads INBOX without IMAP.
func notices(t *testing.T, n *pectest.Network, address string) []message {
	t.Helper()
	return folder(t, n, address, pectest.InboxFolder)
}

// folder reads a folder without IMAP.
func folder(t *testing.T, n *pectest.Network, address, name string) []message {
	t.Helper()
	all, err := n.ProviderOf(address).Messages(address, name)
	require.NoError(t, err)
	var out []message
	for _, raw := range all {
		out = append(out, parse(t, raw))
	}
	return out
}

// The kinds of notices, as kinds returns them, before the recipient.
const (
	acceptance = "accettazione"
	delay      = "preavviso-errore-consegna "
	delivered  = "avvenuta-consegna "
	failed     = "errore-consegna "
	taken      = "presa-in-carico"
)

// moment reads the time of the certification data.
func moment(t *testing.T, m message) time.Time {
	t.Helper()
	at, err := time.Parse("02/01/2006 15:04:05 -0700", m.data.Date.Day+" "+m.data.Date.Time+" "+m.data.Date.Zone)
	require.NoError(t, err)
	return at
}

// only returns a function for Route that decides for the notices of one kind.
func only(kind string, postings ...pectest.Posting) func(pectest.Notice) ([]pectest.Posting, bool) {
	return func(n pectest.Notice) ([]pectest.Posting, bool) { return postings, n.Kind == kind }
}

// requireCode requires an IMAP error with a response code.
func requireCode(t *testing.T, err error, code imap.ResponseCode) {
	t.Helper()
	var refused *imap.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	require.Equal(t, code, refused.Code)
}

// requireReply requires an SMTP error with these codes.
func requireReply(t *testing.T, err error, code int, enhanced smtp.EnhancedCode) {
	t.Helper()
	var reply *smtp.SMTPError
	require.True(t, errors.As(err, &reply), "%v", err)
	require.Equal(t, code, reply.Code)
	require.Equal(t, enhanced, reply.EnhancedCode)
}

func decodeWords(t *testing.T, s string) string {
	t.Helper()
	out, err := new(mime.WordDecoder).DecodeHeader(s)
	require.NoError(t, err)
	return out
}

func hexSHA1(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// openssl verifies one message with the openssl program; the output explains an error.
func openssl(t *testing.T, n *pectest.Network, raw []byte) (string, error) {
	t.Helper()
	dir := t.TempDir()
	ca, file := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "message.eml")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.SigningCA().Raw}), 0o600))
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	out, err := exec.Command("openssl", "cms", "-verify", "-inform", "SMIME", "-in", file, "-CAfile", ca, "-out", os.DevNull).CombinedOutput()
	return string(out), err
}

// A recipient without a mailbox, and one outside the network.
const (
	unknown  = "nessuno@beta-pec.example"
	ordinary = "cliente@posta.example"
)

// scenario is one message to each sort of recipient: a mailbox, an unknown address and an
// ordinary address in To, and another mailbox in Cc.
const scenario = "Received: from ufficio (ufficio [192.0.2.7]) by relay.example; Mon, 1 Jun 2026 10:00:00 +0200\r\n" +
	"From: \"Mario Rossi\" <mario@alfa-pec.example>\r\n" +
	"To: Luigi <luigi@beta-pec.example>, nessuno@beta-pec.example,\r\n" +
	" cliente@posta.example\r\n" +
	"Cc: anna@alfa-pec.example\r\n" +
	"Subject: =?UTF-8?Q?Perch=C3=A9_=22A_&_B=22_<C>?= e altro, con un oggetto\r\n" +
	" molto lungo che occupa due righe\r\n" +
	"Date: Mon, 1 Jun 2026 10:00:00 +0200\r\n" +
	"Message-ID: <uno.1@alfa-pec.example>\r\n" +
	"X-Odd :  field   with blanks  \r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=\"sep\"\r\n" +
	"\r\n" +
	"preamble  \r\n" +
	"--sep\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n" +
	"\r\n" +
	"Perch=C3=A9 no? \t \r\n" +
	".una riga che comincia con un punto\r\n" +
	"\r\n" +
	"--sep\r\n" +
	"Content-Type: application/pdf; name=\"atto.pdf\"\r\n" +
	"Content-Disposition: attachment; filename=\"atto.pdf\"\r\n" +
	"Content-Transfer-Encoding: base64\r\n" +
	"\r\n" +
	"Y2lhbw==\r\n" +
	"--sep--\r\n"

// runScenario starts a network and submits scenario.
func runScenario(t *testing.T) *pectest.Network {
	t.Helper()
	n := pectest.Start(t, nil)
	submit(t, n, mario, []string{luigi, unknown, ordinary, anna}, scenario)
	return n
}

// internet is a message from outside the network; its lines end in LF.
const internet = "Received: from a by b; Mon, 1 Jun 2026 10:00:00 +0200\nReturn-Path: <cliente@posta.example>\n" +
	"From: Cliente <cliente@posta.example>\nTo: Mario <mario@alfa-pec.example>\nCc: altri@posta.example\n" +
	"Subject: =?UTF-8?Q?Perch=C3=A9?=\nMessage-ID: <internet@posta.example>\nX-Ricevuta: avvenuta-consegna\n\nBuongiorno.\n"
