package pectest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestReservedFates(t *testing.T) {
	n := pectest.Start(t, nil)
	// The notices that each stage adds: at once, after 12 h, after 24 h.
	for local, want := range map[string][3][]string{
		"unknown": {{taken, failed}, {}, {}},
		"full":    {{taken, failed}, {}, {}},
		"virus":   {{"rilevazione-virus ", failed}, {}, {}},
		"silent":  {{}, {}, {}},
		"late":    {{taken}, {}, {delay, delivered}},
		"twice":   {{taken, delivered, delivered}, {}, {}},
		"delay12": {{}, {delay}, {taken, delivered}},
		"delay24": {{}, {delay}, {delay}},
	} {
		t.Run(local, func(t *testing.T) {
			to := strings.ToUpper(local) + "@beta-pec.example"
			service := n.ProviderOf(mario).ServiceMailbox()
			stage := func(first string, want []string, advance time.Duration) {
				t.Helper()
				before, beforeService := len(notices(t, n, mario)), len(notices(t, n, service))
				if advance == 0 {
					submit(t, n, mario, []string{to}, plain("<a@x>", mario, to))
				} else {
					n.Advance(advance)
				}
				got := append(kinds(notices(t, n, service)[beforeService:]), kinds(notices(t, n, mario)[before:])...)
				var all []string
				for _, k := range want {
					if strings.HasSuffix(k, " ") {
						k += to
					}
					all = append(all, k)
				}
				if first != "" {
					at := len(all) - len(notices(t, n, mario)[before:]) + 1
					all = append(all[:at:at], append([]string{first}, all[at:]...)...)
				}
				if len(all) == 0 {
					all = nil
				}
				require.Equal(t, all, got)
			}
			stage(acceptance, want[0][:], 0)
			stage("", want[1][:], 12*time.Hour)
			stage("", want[2][:], 12*time.Hour)
			stage("", nil, 48*time.Hour)
		})
	}
	require.Len(t, pectest.ReservedFates(), 8)
}

func TestFailureCodes(t *testing.T) {
	n := pectest.Start(t, nil)
	const odd = "odd@beta-pec.example"
	for want, f := range map[string]pectest.Fate{
		"no-dest 5.1.1 - Beta PEC S.p.A. - indirizzo non valido":                           {Error: "no-dest"},
		"no-dominio 5.1.2 - Beta PEC S.p.A. - dominio non valido":                          {Error: "no-dominio"},
		"altro 5.2.0 - Beta PEC S.p.A. - casella non in grado di accettare messaggi":       {Error: "altro"},
		"altro 5.2.1 - Beta - disattivata":                                                 {Error: "altro", ErrorText: "5.2.1 - Beta - disattivata"},
		"altro":                                                                            {Error: "altro", ErrorText: pectest.NoErrorText},
		"virus 5.5.1, Alfa PEC S.p.A., presenza di un virus nel messaggio":                 {Error: "virus"},
		"di-fantasia 5.2.0 - Beta PEC S.p.A. - casella non in grado di accettare messaggi": {Error: "di-fantasia"},
	} {
		n.SetFate("ODD@beta-pec.example", f)
		submit(t, n, mario, []string{odd}, plain("<a@x>", mario, odd))
		all := notices(t, n, mario)
		last := all[len(all)-1]
		got := last.data.Error
		if last.data.ErrorText != nil {
			got += " " + *last.data.ErrorText
		}
		require.Equal(t, want, got)
		require.Equal(t, f.Error == "virus", last.header.Get("X-VerificaSicurezza") == "errore")
	}
}

func TestDelayCodes(t *testing.T) {
	n := pectest.Start(t, nil)
	const slow = "slow@beta-pec.example"
	for name, c := range map[string]struct {
		fate        pectest.Fate
		first, last string
	}{
		"customary": {pectest.Fate{Transit: pectest.Never},
			"il messaggio non è stato consegnato nelle prime dodici ore dal suo invio",
			"5.4.1 - Alfa PEC S.p.A. - il messaggio non è stato consegnato nelle ventiquattro ore successive al suo invio"},
		"another code": {pectest.Fate{Transit: pectest.Never, FirstDelayText: "4.4.7 - A - attesa", LastDelayText: "5.4.7 - A - scaduto"}, "4.4.7 - A - attesa", "5.4.7 - A - scaduto"},
		"none":         {pectest.Fate{Transit: pectest.Never, FirstDelayText: pectest.NoErrorText, LastDelayText: pectest.NoErrorText}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(notices(t, n, mario))
			n.SetFate(slow, c.fate)
			submit(t, n, mario, []string{slow}, plain("<a@x>", mario, slow))
			n.Advance(24 * time.Hour)
			got := notices(t, n, mario)[before:]
			require.Equal(t, []string{acceptance, delay + slow, delay + slow}, kinds(got))
			accepted := moment(t, got[0])
			for i, want := range []struct {
				text  string
				after time.Duration
			}{{c.first, 12 * time.Hour}, {c.last, 23 * time.Hour}} {
				m := got[i+1]
				text := ""
				if m.data.ErrorText != nil {
					text = *m.data.ErrorText
				}
				require.Equal(t, want.text, text)
				require.Equal(t, "altro", m.data.Error)
				require.WithinDuration(t, accepted.Add(want.after), moment(t, m), time.Minute)
				require.True(t, strings.HasPrefix(m.header.Get("Subject"), "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO:"))
				require.Equal(t, "Alfa PEC S.p.A.", m.data.Provider)
			}
		})
	}
}

func TestDelayCases(t *testing.T) {
	// RFC 6109, 3.1.6: the take-in-charge and the delivery decide which delay notices are sent.
	n := pectest.Start(t, nil)
	const slow = "slow@beta-pec.example"
	for name, c := range map[string]struct {
		fate pectest.Fate
		want []string
	}{
		"a: taken in charge, not delivered":     {pectest.Fate{Handling: pectest.Never}, []string{delay}},
		"b: delivered between 12 and 23 h":      {pectest.Fate{Transit: 13 * time.Hour}, []string{delay, delivered}},
		"c: neither":                            {pectest.Fate{Transit: pectest.Never}, []string{delay, delay}},
		"c: the take-in-charge is lost":         {pectest.Fate{Handling: pectest.Never, Missing: []string{pectest.KindTakeInCharge}}, []string{delay, delay}},
		"taken in charge, delivered after 13 h": {pectest.Fate{Handling: 13 * time.Hour}, []string{delivered}},
		"refused after 13 h":                    {pectest.Fate{Handling: 13 * time.Hour, Error: "no-dest"}, []string{failed}},
		"the delivery notice is lost":           {pectest.Fate{Missing: []string{pectest.KindDelivery}}, []string{delay}},
		"no delay notices":                      {pectest.Fate{Transit: pectest.Never, NoDelays: true}, nil},
		"a late failure":                        {pectest.Fate{Handling: 30 * time.Hour, Error: "altro"}, []string{delay, failed}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(notices(t, n, mario))
			n.SetFate(slow, c.fate)
			submit(t, n, mario, []string{slow}, plain("<a@x>", mario, slow))
			n.Advance(48 * time.Hour)
			want := []string{acceptance}
			for _, k := range c.want {
				want = append(want, k+slow)
			}
			require.Equal(t, want, kinds(notices(t, n, mario)[before:]))
		})
	}
}

func TestTakeInCharge(t *testing.T) {
	n := pectest.Start(t, nil)
	submit(t, n, mario, []string{luigi, bruna, ordinary}, plain("<a@x>", mario, luigi+", "+bruna+", "+ordinary))
	got := notices(t, n, n.ProviderOf(mario).ServiceMailbox())
	require.Len(t, got, 1, "one for all recipients of the provider")
	m := got[0]
	require.Equal(t, "presa-in-carico", m.data.Kind)
	require.Equal(t, "presa-in-carico", m.header.Get("X-Ricevuta"))
	require.Equal(t, []string{luigi, bruna}, m.data.Taken)
	require.Nil(t, m.data.Receipt)
	require.Nil(t, m.data.Delivered)
	require.Equal(t, "Beta PEC S.p.A.", m.data.Provider)
	require.Equal(t, n.ProviderOf(mario).ServiceMailbox(), m.header.Get("To"))
	require.Equal(t, "PRESA IN CARICO:", m.header.Get("Subject"))
	require.Equal(t, "<a@x>", m.header.Get("X-Riferimento-Message-ID"))
	_, ok := n.Account(n.ProviderOf(mario).ServiceMailbox())
	require.False(t, ok, "no user may log in there")
}

func TestReply(t *testing.T) {
	n := pectest.Start(t, nil)
	n.SetFate(luigi, pectest.Fate{Reply: "Ricevuto, grazie.\nLuigi"})
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi, "Subject: Perché"))
	got := notices(t, n, mario)
	require.Equal(t, []string{acceptance, delivered + luigi, "posta-certificata"}, kinds(got))
	answer := got[2]
	require.Equal(t, luigi, answer.data.Sender)
	require.Equal(t, "Re: Perché", *answer.data.Subject)
	require.Contains(t, string(answer.postacert), "In-Reply-To: <"+got[0].data.CertID+">\r\n", "the provider's identifier, not ours")
	require.Contains(t, string(answer.postacert), "References: <"+got[0].data.CertID+">\r\n")
	require.Contains(t, string(answer.postacert), "\r\n\r\nRicevuto, grazie.\r\nLuigi\r\n")
	require.Equal(t, []string{"posta-certificata", acceptance, delivered + mario}, kinds(notices(t, n, luigi)))
}
