package pectest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestSeparators(t *testing.T) {
	for separator, sent := range map[rune]string{'.': "INBOX.Inviata", '/': "INBOX/Spedite"} {
		n, p := one(t, pectest.ProviderOptions{Separator: separator, Sent: sent, Folders: []string{"Ricevute"}, SaveSent: true}, pectest.Account{})
		c := loginIMAP(t, n, mario, nil)
		names := func(pattern string) []string {
			folders, err := c.List("", pattern, nil).Collect()
			require.NoError(t, err)
			var out []string
			for _, f := range folders {
				require.Equal(t, separator, f.Delim)
				require.Equal(t, f.Mailbox == sent, slices.Contains(f.Attrs, imap.MailboxAttrSent))
				out = append(out, f.Mailbox)
			}
			return out
		}
		require.Equal(t, []string{"INBOX", sent, "Ricevute"}, names("*"))
		require.Equal(t, []string{"INBOX", "Ricevute"}, names("%"))
		require.Equal(t, []string{sent}, names("INBOX"+string(separator)+"%"))
		delimiter, err := c.List("", "", nil).Collect()
		require.NoError(t, err)
		require.Equal(t, separator, delimiter[0].Delim)
		space, err := c.Namespace().Wait()
		require.NoError(t, err)
		require.Equal(t, separator, space.Personal[0].Delim)

		raw := plain("<a@x>", mario, mario)
		submit(t, n, mario, []string{mario}, raw)
		kept, err := p.Messages(mario, sent)
		require.NoError(t, err)
		require.Equal(t, [][]byte{[]byte(raw)}, kept)
	}
}

func TestFolderCommands(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{})
	c := loginIMAP(t, n, mario, nil)
	require.NoError(t, c.Create("Archivio", nil).Wait())
	requireCode(t, c.Create("Archivio", nil).Wait(), imap.ResponseCodeAlreadyExists)
	requireCode(t, c.Rename("Archivio", "INBOX", nil).Wait(), imap.ResponseCodeAlreadyExists)
	first, err := c.Status("Archivio", &imap.StatusOptions{UIDValidity: true}).Wait()
	require.NoError(t, err)
	require.NoError(t, c.Rename("Archivio", "Vecchi", nil).Wait())
	requireCode(t, c.Delete("Archivio").Wait(), imap.ResponseCodeNonExistent)
	requireCode(t, c.Delete("inbox").Wait(), imap.ResponseCodeCannot)
	require.NoError(t, c.Subscribe("Vecchi").Wait())
	subscribed, err := c.List("", "*", &imap.ListOptions{SelectSubscribed: true}).Collect()
	require.NoError(t, err)
	require.Len(t, subscribed, 1)
	require.NoError(t, c.Unsubscribe("Vecchi").Wait())
	require.NoError(t, c.Delete("Vecchi").Wait())
	require.NoError(t, c.Create("Archivio", nil).Wait())
	again, err := c.Status("Archivio", &imap.StatusOptions{UIDValidity: true}).Wait()
	require.NoError(t, err)
	require.NotEqual(t, first.UIDValidity, again.UIDValidity, "a folder made again is a different one")
	_, err = c.Select("Assente", nil).Wait()
	requireCode(t, err, imap.ResponseCodeNonExistent)

	for _, s := range []string{"uno", "due", "tre"} {
		require.NoError(t, p.Deliver(mario, "INBOX", []byte("Subject: "+s+"\r\nX-Riferimento-Message-ID: <"+s+"@x>\r\n\r\n"+s+"\r\n")))
	}
	_, err = c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	require.True(t, c.Caps().Has(imap.CapUIDPlus))
	moved, err := c.Move(imap.UIDSetNum(2), "Archivio").Wait()
	require.NoError(t, err)
	require.Equal(t, again.UIDValidity, moved.UIDValidity)
	require.Equal(t, imap.UIDSetNum(1), moved.DestUIDs)
	for criteria, want := range map[*imap.SearchCriteria][]imap.UID{
		{Header: []imap.SearchCriteriaHeaderField{{Key: "x-riferimento-message-id", Value: "<TRE@x>"}}}: {3},
		{Text: []string{"UNO"}}:                                       {1},
		{Body: []string{"subject"}}:                                   nil,
		{UID: []imap.UIDSet{{imap.UIDRange{Start: 2}}}}:               {3},
		{Not: []imap.SearchCriteria{{Text: []string{"uno"}}}}:         {3},
		{Or: [][2]imap.SearchCriteria{{{Larger: 1000}, {Larger: 1}}}}: {1, 3},
		{Since: time.Now().AddDate(0, 0, 2)}:                          nil,
		{SentSince: time.Now()}:                                       nil,
	} {
		found, err := c.UIDSearch(criteria, nil).Wait()
		require.NoError(t, err)
		require.Equal(t, want, found.AllUIDs())
	}
	// UID EXPUNGE leaves other marked messages alone.
	mark := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}
	require.NoError(t, c.Store(imap.SeqSet{imap.SeqRange{Start: 1}}, mark, nil).Close())
	require.NoError(t, c.UIDExpunge(imap.UIDSetNum(3)).Close())
	left, err := p.Messages(mario, "INBOX")
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Contains(t, string(left[0]), "uno")
}

func TestPartialFetch(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{})
	raw := "Subject: uno\r\nX-Altro: due\r\n\r\ncorpo\r\n"
	require.NoError(t, p.Deliver(mario, "INBOX", []byte(raw)))
	c := loginIMAP(t, n, mario, nil)
	_, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	require.NoError(t, err)
	for want, section := range map[string]*imap.FetchItemBodySection{
		raw[9:12]:              {Peek: true, Partial: &imap.SectionPartial{Offset: 9, Size: 3}},
		raw[30:]:               {Peek: true, Partial: &imap.SectionPartial{Offset: 30, Size: 1000}},
		"":                     {Peek: true, Partial: &imap.SectionPartial{Offset: 1000, Size: 1}},
		"X-Altro: due\r\n\r\n": {Peek: true, Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"X-Altro"}},
		"corpo\r\n":            {Peek: true, Specifier: imap.PartSpecifierText},
	} {
		got, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Envelope: true, BodyStructure: &imap.FetchItemBodyStructure{}, InternalDate: true, RFC822Size: true,
			BodySection: []*imap.FetchItemBodySection{section}}).Collect()
		require.NoError(t, err)
		require.Equal(t, want, string(got[0].BodySection[0].Bytes))
		require.Equal(t, "uno", got[0].Envelope.Subject)
		require.Equal(t, int64(len(raw)), got[0].RFC822Size)
		require.Equal(t, "text/plain", got[0].BodyStructure.MediaType())
	}
}

func TestResetUIDs(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{})
	require.NoError(t, p.Deliver(mario, "INBOX", []byte("Subject: uno\r\n\r\n")))
	c := loginIMAP(t, n, mario, nil)
	before, err := c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	require.NoError(t, p.ResetUIDs(mario, "INBOX"))
	require.Error(t, p.ResetUIDs(mario, "Assente"))
	require.Error(t, p.ResetUIDs(luigi, "INBOX"))
	<-c.Closed()
	c = loginIMAP(t, n, mario, nil)
	after, err := c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	require.NotEqual(t, before.UIDValidity, after.UIDValidity)
	require.Equal(t, uint32(1), after.NumMessages)
	found, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	require.NoError(t, err)
	require.NotEqual(t, []imap.UID{1}, found.AllUIDs())
}

func TestQuota(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{Quota: 100 << 10})
	c := loginIMAP(t, n, mario, nil)
	require.True(t, c.Caps().Has(imap.CapQuota))
	quota := func() *imapclient.QuotaData {
		t.Helper()
		all, err := c.GetQuotaRoot("INBOX").Wait()
		require.NoError(t, err)
		require.Len(t, all, 1)
		return &all[0]
	}
	require.Equal(t, imapclient.QuotaResourceData{Usage: 0, Limit: 100}, quota().Resources[imap.QuotaResourceStorage])
	require.NoError(t, p.Deliver(mario, "INBOX", make([]byte, 99<<10)))
	require.Equal(t, int64(99), quota().Resources[imap.QuotaResourceStorage].Usage)
	require.Error(t, p.Deliver(mario, "INBOX", make([]byte, 2<<10)))
	w := c.Append(pectest.SentFolder, 2<<10, nil)
	_, err := w.Write(make([]byte, 2<<10))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = w.Wait()
	requireCode(t, err, imap.ResponseCodeOverQuota)

	// A full mailbox causes a non-delivery notice.
	n = pectest.Start(t, &pectest.Options{Providers: []pectest.ProviderOptions{
		{Domain: "alfa-pec.example", Accounts: []pectest.Account{{Address: mario, Password: "p"}}},
		{Domain: "beta-pec.example", Accounts: []pectest.Account{{Address: luigi, Password: "p", Quota: 100}}},
	}})
	submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi))
	got := notices(t, n, mario)
	require.Equal(t, []string{acceptance, failed + luigi}, kinds(got))
	require.Equal(t, "5.2.2 - beta-pec.example - casella piena", *got[1].data.ErrorText)
}

func TestNoQuota(t *testing.T) {
	n, _ := one(t, pectest.ProviderOptions{}, pectest.Account{})
	all, err := loginIMAP(t, n, mario, nil).GetQuotaRoot("INBOX").Wait()
	require.NoError(t, err)
	require.Empty(t, all[0].Resources)
}

func TestKeep(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{Keep: 2})
	c := loginIMAP(t, n, mario, nil)
	_, err := c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	for _, s := range []string{"1", "2", "3", "4"} {
		require.NoError(t, p.Deliver(mario, "INBOX", []byte(s)))
	}
	all, err := p.Messages(mario, "INBOX")
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("3"), []byte("4")}, all)
	require.NoError(t, c.Noop().Wait())
	require.Equal(t, uint32(2), c.Mailbox().NumMessages, "a session is notified")
	found, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	require.NoError(t, err)
	require.Equal(t, []imap.UID{3, 4}, found.AllUIDs())
}

// A client that asks for much and reads nothing must not keep mail from arriving.
func TestSlowReaderBlocksNobody(t *testing.T) {
	n, p := one(t, pectest.ProviderOptions{}, pectest.Account{})
	large := []byte(strings.Repeat("x", 20<<20))
	require.NoError(t, p.Deliver(mario, "INBOX", large))
	c := loginIMAP(t, n, mario, nil)
	_, err := c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	command := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}})
	message := command.Next()
	require.NotNil(t, message)
	require.NotNil(t, message.Next()) // the server is still writing
	require.NoError(t, p.Deliver(mario, "INBOX", []byte("2")))
	_, err = message.Collect()
	require.NoError(t, err)
	require.NoError(t, command.Close())
}
