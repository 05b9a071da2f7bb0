package pectest_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec/pectest"
)

func TestOpenSSLVerifiesAllThatIsEmitted(t *testing.T) {
	testenv.Program(t, "openssl")
	n := runScenario(t)
	submit(t, n, mario, []string{luigi}, plain("<due@alfa-pec.example>", anna, luigi))                                  // refused
	submit(t, n, anna, []string{luigi}, plain("<tre@alfa-pec.example>", anna, luigi, "X-TipoRicevuta: breve"))          // brief
	submit(t, n, anna, []string{luigi}, plain("", anna, luigi, "Subject: caff\xe8 \xe0 la carte", "X-Otto: \xc3\xa8"))  // 8-bit
	submit(t, n, anna, []string{bruna}, plain("<q@alfa-pec.example>", anna, bruna)+"\r\n\r\n--\r\nsenza fine di linea") // odd end

	count := make(map[string]int)
	for _, a := range n.Accounts() {
		for _, m := range inbox(t, n, a.Address) {
			count[m.data.Kind]++
			out, err := openssl(t, n, m.raw)
			require.NoError(t, err, "%s: %s", m.data.Kind, out)
		}
	}
	require.Equal(t, map[string]int{
		"accettazione": 4, "non-accettazione": 1, "posta-certificata": 5, "avvenuta-consegna": 5, "errore-consegna": 1,
	}, count)
	out, err := openssl(t, n, n.OrdinaryMail()[0].Raw)
	require.NoError(t, err, out)
}

func TestOpenSSLVerifiesEveryFate(t *testing.T) {
	testenv.Program(t, "openssl")
	n := pectest.Start(t, &pectest.Options{Start: time.Now().Add(-24 * time.Hour)})
	var to []string
	for local := range pectest.ReservedFates() {
		to = append(to, local+"@beta-pec.example")
	}
	submit(t, n, mario, to, plain("<a@x>", mario, strings.Join(to, ", ")))
	require.NoError(t, n.Receive("", []string{mario}, []byte(internet)))
	n.Advance(24 * time.Hour)
	count := make(map[string]int)
	for _, address := range []string{mario, n.ProviderOf(mario).ServiceMailbox()} {
		for _, m := range notices(t, n, address) {
			count[m.data.Kind]++
			out, err := openssl(t, n, m.raw)
			require.NoError(t, err, "%s: %s", m.data.Kind, out)
		}
	}
	require.Equal(t, map[string]int{
		"": 1, "accettazione": 1, "presa-in-carico": 2, "rilevazione-virus": 1, "avvenuta-consegna": 4, "errore-consegna": 3, "preavviso-errore-consegna": 4,
	}, count)
}

func TestOpenSSLRefusesWhatIsChanged(t *testing.T) {
	testenv.Program(t, "openssl")
	n := runScenario(t)
	genuine := inbox(t, n, luigi)[0].raw
	at := bytes.Index(genuine, []byte("Il messaggio originale"))
	require.Positive(t, at)
	flipped := bytes.Clone(genuine)
	flipped[at] ^= 1
	out, err := openssl(t, n, flipped)
	require.Error(t, err)
	require.Contains(t, out, "content verify error")

	// Another network has another CA, even with the same names and leaf keys.
	out, err = openssl(t, pectest.Start(t, nil), genuine)
	require.Error(t, err)
	require.Contains(t, out, "certificate verify error")
}
