package envelope

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// daticert is a complete file about a delivery. Each test replaces pieces of it.
const daticert = `<?xml version="1.0" encoding="UTF-8"?>
<postacert tipo="avvenuta-consegna" errore="nessuno">
    <intestazione>
        <mittente>mario@pec.example</mittente>
        <destinatari tipo="certificato">luigi@pec.example</destinatari>
        <destinatari tipo="esterno">info@example.org</destinatari>
        <risposte>ufficio@pec.example</risposte>
        <oggetto>Fattura &amp; altro</oggetto>
    </intestazione>
    <dati>
        <gestore-emittente>Gestore S.p.A.</gestore-emittente>
        <data zona="+0200">
            <giorno>05/09/2026</giorno>
            <ora>08:09:10</ora>
        </data>
        <identificativo>p1@pec.example</identificativo>
        <msgid>&lt;m1@pec.example&gt;</msgid>
        <ricevuta tipo="completa" />
        <consegna>luigi@pec.example</consegna>
    </dati>
</postacert>
`

var certDataWanted = CertData{
	Kind: KindDelivery, Token: "avvenuta-consegna",
	Sender: "mario@pec.example",
	Recipients: []Recipient{
		{Address: "luigi@pec.example", Certified: true, Token: "certificato"},
		{Address: "info@example.org", Token: "esterno"},
	},
	ReplyTo: "ufficio@pec.example", Subject: "Fattura & altro", Provider: "Gestore S.p.A.",
	Time:   time.Date(2026, 9, 5, 8, 9, 10, 0, time.FixedZone("", 7200)),
	CertID: "p1@pec.example", MessageID: "m1@pec.example",
	Receipt: "completa", Recipient: "luigi@pec.example", ErrorToken: "nessuno",
}

func TestParseCertData(t *testing.T) {
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(daticert) }
	changed := func(f func(*CertData)) CertData {
		want := certDataWanted
		f(&want)
		return want
	}
	for name, c := range map[string]struct {
		xml  string
		want CertData
	}{
		"as it is":                   {daticert, certDataWanted},
		"BOM":                        {"\xef\xbb\xbf" + daticert, certDataWanted},
		"CRLF":                       {strings.ReplaceAll(daticert, "\n", "\r\n"), certDataWanted},
		"one line":                   {strings.ReplaceAll(strings.ReplaceAll(daticert, "\n", ""), "    ", ""), certDataWanted},
		"no declaration":             {strings.TrimPrefix(daticert, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"), certDataWanted},
		"DOCTYPE that names the DTD": {replace("<postacert", `<!DOCTYPE postacert SYSTEM "daticert.dtd"><postacert`), certDataWanted},
		"upper case and spaces": {replace(`tipo="avvenuta-consegna"`, `TIPO=" Avvenuta-Consegna "`, "<mittente>", "<MITTENTE> ", "</mittente>", "\n</MITTENTE>"),
			changed(func(d *CertData) { d.Token = "Avvenuta-Consegna" })},
		"folded and bracketed ids": {replace("&lt;m1@pec.example&gt;", "&lt;m1@\n pec.example&gt;", "p1@pec.example", " <![CDATA[<p1@pec.example>]]> "), certDataWanted},
		"no msgid":                 {replace("<msgid>&lt;m1@pec.example&gt;</msgid>", ""), changed(func(d *CertData) { d.MessageID = "" })},
		"no oggetto":               {replace("<oggetto>Fattura &amp; altro</oggetto>", ""), changed(func(d *CertData) { d.Subject = "" })},
		"no risposte":              {replace("<risposte>ufficio@pec.example</risposte>", ""), changed(func(d *CertData) { d.ReplyTo = "" })},
		"no errore":                {replace(` errore="nessuno"`, ""), changed(func(d *CertData) { d.ErrorToken = "" })},
		"no class": {replace(` tipo="certificato"`, ""), changed(func(d *CertData) {
			d.Recipients = []Recipient{{Address: "luigi@pec.example", Certified: true}, d.Recipients[1]}
		})},
		"unknown class is not certified": {replace(`tipo="certificato"`, `tipo="speciale"`), changed(func(d *CertData) {
			d.Recipients = []Recipient{{Address: "luigi@pec.example", Token: "speciale"}, d.Recipients[1]}
		})},
		"unknown tipo is kept": {replace("avvenuta-consegna", "avvenuta-consegna-2"),
			changed(func(d *CertData) { d.Kind, d.Token = KindUnknown, "avvenuta-consegna-2" })},
		"unknown elements and stray text": {replace("<dati>", "<nuovo><consegna>x@y</consegna></nuovo>testo<dati>"), certDataWanted},
		"another order": {replace("<mittente>mario@pec.example</mittente>", "", "</intestazione>", "<mittente>mario@pec.example</mittente></intestazione>",
			"<consegna>luigi@pec.example</consegna>", "", "<dati>", "<dati><consegna>luigi@pec.example</consegna>"), certDataWanted},
		"zone with a colon":     {replace("+0200", "(+02:00)"), certDataWanted},
		"winter":                {replace("+0200", "+0100"), changed(func(d *CertData) { d.Time = d.Time.Add(time.Hour).In(time.FixedZone("", 3600)) })},
		"Latin-1, declared":     {replace("UTF-8", "ISO-8859-1", "Fattura", "Citt\xe0"), changed(func(d *CertData) { d.Subject = "Città & altro" })},
		"Latin-1, not declared": {replace("Fattura", "Citt\xe0 \x80"), changed(func(d *CertData) { d.Subject = "Città € & altro" })},
		"control characters":    {replace("Fattura", "Fat\x01\x0btura"), changed(func(d *CertData) { d.Subject = "Fat\ufffd\ufffdtura & altro" })},
		"unknown encoding":      {replace("UTF-8", "x-none"), certDataWanted},
		"markup in a text": {replace("<consegna>", "<errore-esteso>5.1.1 - <b>G</b> -<br/> indirizzo</errore-esteso><consegna>"),
			changed(func(d *CertData) { d.ErrorText = "5.1.1 - G - indirizzo" })},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseCertData([]byte(c.xml))
			require.NoError(t, err)
			require.True(t, c.want.Time.Equal(got.Time))
			_, wantOffset := c.want.Time.Zone()
			_, offset := got.Time.Zone()
			require.Equal(t, wantOffset, offset)
			got.Time = c.want.Time
			require.Equal(t, c.want, *got)
		})
	}
}

func TestParseCertDataRefuses(t *testing.T) {
	for name, pairs := range map[string][]string{
		"no mittente":            {"<mittente>mario@pec.example</mittente>", ""},
		"empty mittente":         {"mario@pec.example", " "},
		"no destinatari":         {"destinatari", "altro"},
		"no gestore":             {"gestore-emittente", "altro"},
		"no data":                {"<data ", "<altro ", "</data>", "</altro>"},
		"no zone":                {` zona="+0200"`, ""},
		"zone of a day":          {"+0200", "+2400"},
		"no such day":            {"05/09/2026", "31/09/2026"},
		"no such hour":           {"08:09:10", "25:09:10"},
		"no such zone":           {"+0200", "CEST"},
		"no identificativo":      {"identificativo", "altro"},
		"no consegna":            {"consegna>", "altro>"},
		"no tipo":                {`tipo="avvenuta-consegna"`, ""},
		"delivery with an error": {`errore="nessuno"`, `errore="no-dest"`},
		"with an unknown error":  {`errore="nessuno"`, `errore="boh"`},
		"two mittente":           {"<risposte>", "<mittente>x@y</mittente><risposte>"},
		"two consegna":           {"<consegna>", "<consegna>x@y</consegna><consegna>"},
		"two msgid":              {"<msgid>", "<msgid>x</msgid><msgid>"},
		"two dati":               {"</postacert>", "<dati><consegna>x@y</consegna></dati></postacert>"},
		"two roots":              {"</postacert>", "</postacert><postacert/>"},
		"another root":           {"postacert", "postacerta"},
		"nested in another root": {"<postacert", "<x><postacert", "</postacert>", "</postacert></x>"},
		"repeated attribute":     {`errore="nessuno"`, `errore="nessuno" TIPO="accettazione"`},
		"internal subset":        {"<postacert", `<!DOCTYPE postacert [<!ENTITY a "luigi@pec.example">]><postacert`},
		"entity":                 {"Fattura", "&boh;"},
		"bare ampersand":         {"&amp;", "&"},
		"not closed":             {"</postacert>", ""},
		"too deep":               {"<oggetto>", "<oggetto>" + strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20)},
		"empty":                  {daticert, ""},
		"text":                   {daticert, "ciao"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.NewReplacer(pairs...).Replace(daticert)
			require.NotEqual(t, daticert, changed)
			_, err := parseCertData([]byte(changed))
			require.Error(t, err)
		})
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		kind         Kind
		errore, text string
		want         Failure
	}{
		{KindNonDelivery, "no-dest", "5.1.1 - ARUBA PEC S.p.A. - indirizzo non valido", Failure{FailureNoRecipient, CauseUnknownAddress, "5.1.1", ""}},
		{KindNonDelivery, "altro", "5.1.1 - ARUBA PEC S.p.A. - indirizzo non valido", Failure{FailureOther, CauseUnknownAddress, "5.1.1", ""}},
		{KindNonDelivery, "altro", "errore 5.2.2 - Info Cert Spa - casella piena", Failure{FailureOther, CauseMailboxFull, "5.2.2", ""}},
		{KindNonDelivery, "altro", "5.2.1", Failure{FailureOther, CauseMailboxDisabled, "5.2.1", ""}},
		{KindNonDelivery, "no-dominio", "dominio sconosciuto", Failure{FailureNoDomain, CauseNoDomain, "", ""}},
		{KindNonDelivery, "virus", "5.5.1, Aruba Pec S.p.A., presenza di un virus nel messaggio", Failure{FailureVirus, CauseVirus, "5.5.1", ""}},
		{KindNonDelivery, "no-dest", "", Failure{FailureNoRecipient, CauseUnknownAddress, "", ""}},
		{KindNonDelivery, "altro", "5.9.9 - G - boh", Failure{FailureOther, CauseOther, "5.9.9", ""}},
		{KindNonDelivery, "boh", "", Failure{FailureOther, CauseOther, "", ""}},
		{KindNonDelivery, "", "", Failure{FailureNone, CauseOther, "", ""}},
		{KindNonDelivery, "altro", "server 5.4.1.20 non risponde", Failure{FailureOther, CauseOther, "", ""}},
		{KindNonDelivery, "altro", "server 10.5.4.1 non risponde", Failure{FailureOther, CauseOther, "", ""}},
		{KindNonDelivery, "altro", "codice (5.4.1).", Failure{FailureOther, CauseTimeout, "5.4.1", ""}},
		{KindDeliveryDelay, "altro", "5.4.1 - InfoCert S.p.A. - il messaggio non è stato consegnato", Failure{FailureOther, CauseTimeout, "5.4.1", ""}},
		{KindDeliveryDelay, "altro", "", Failure{FailureOther, CauseTimeout, "", ""}},
		{KindNonAcceptance, "altro", "destinatario mancante", Failure{FailureOther, CauseFormal, "", ""}},
		{KindNonAcceptance, "virus", "EICAR", Failure{FailureVirus, CauseVirus, "", ""}},
		{KindVirusDetection, "", "EICAR", Failure{FailureNone, CauseVirus, "", ""}},
		{KindDelivery, "nessuno", "", Failure{}},
		{KindUnknown, "altro", "5.1.1", Failure{}},
	} {
		if c.want != (Failure{}) {
			c.want.Text = c.text
		}
		require.Equal(t, c.want, (&CertData{Kind: c.kind, ErrorToken: c.errore, ErrorText: c.text}).Failure(), "%v %s %s", c.kind, c.errore, c.text)
	}
}

func TestAddressesAndMessageIDs(t *testing.T) {
	require.True(t, SameAddress(" Mario@PEC.example", "mario@pec.EXAMPLE "))
	require.False(t, SameAddress("mar\u0131o@pec.example", "mario@pec.example"))
	require.False(t, SameAddress("\u212aarl@pec.example", "karl@pec.example"), "the Kelvin sign is no k")
	require.False(t, SameAddress("po\u017fta@pec.example", "posta@pec.example"), "the long s is no s")
	require.True(t, SameMessageID("<a@b>", " A@B "))
	require.True(t, SameMessageID("<a\r\n\t@b>", "a@b"))
	require.False(t, SameMessageID("<<a@b>>", "a@b"), "one pair of brackets")
	require.False(t, SameMessageID("", ""))
	require.False(t, SameMessageID("<>", ""))
}

// Data that is accepted is complete for its kind, and the same when it is read again.
func FuzzCertData(f *testing.F) {
	f.Add([]byte(daticert))
	for token := range kindTokens {
		f.Add([]byte(strings.Replace(daticert, "avvenuta-consegna", token, 1)))
	}
	f.Add([]byte(strings.NewReplacer("UTF-8", "ISO-8859-1", "Fattura", "Citt\xe0").Replace(daticert)))
	f.Add([]byte(strings.Replace(daticert, "<consegna>", "<errore-esteso>5.1.1 - <b>G</b></errore-esteso><ricezione>a@b</ricezione><consegna>", 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		data, err := parseCertData(b)
		if err != nil {
			return
		}
		require.Empty(t, data.incomplete())
		require.False(t, data.contradictory())
		require.Equal(t, tokenKind(data.Token), data.Kind)
		require.Equal(t, NormalizeMessageID(data.CertID), data.CertID)
		if data.Kind == KindDelivery {
			require.NotEmpty(t, data.Recipient)
			require.Equal(t, FailureNone, data.Reason())
		}
		again, err := parseCertData(b)
		require.NoError(t, err)
		require.Equal(t, data, again)
	})
}
