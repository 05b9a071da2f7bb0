package pectest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestRoute(t *testing.T) {
	n := pectest.Start(t, nil)
	send := func() []message {
		before := len(notices(t, n, mario))
		submit(t, n, mario, []string{luigi}, plain("<a@x>", mario, luigi))
		return notices(t, n, mario)[before:]
	}
	delivery := delivered + luigi

	t.Run("missing", func(t *testing.T) {
		defer n.Route(only(pectest.KindAcceptance))()
		require.Equal(t, []string{delivery}, kinds(send()))
	})
	t.Run("reordered", func(t *testing.T) {
		defer n.Route(only(pectest.KindAcceptance, pectest.Posting{Last: true}))()
		require.Equal(t, []string{delivery, acceptance}, kinds(send()))
	})
	t.Run("late", func(t *testing.T) {
		defer n.Route(only(pectest.KindDelivery, pectest.Posting{After: time.Hour}))()
		require.Equal(t, []string{acceptance}, kinds(send()))
		n.Advance(59 * time.Minute)
		before := notices(t, n, mario)
		n.Advance(time.Minute)
		require.Equal(t, []string{delivery}, kinds(notices(t, n, mario)[len(before):]))
	})
	t.Run("same bytes twice", func(t *testing.T) {
		defer n.Route(only(pectest.KindDelivery, pectest.Posting{}, pectest.Posting{}))()
		got := send()
		require.Equal(t, []string{acceptance, delivery, delivery}, kinds(got))
		require.Equal(t, got[1].raw, got[2].raw)
	})
	t.Run("signed again", func(t *testing.T) {
		defer n.Route(only(pectest.KindDelivery, pectest.Posting{}, pectest.Posting{Resigned: true}))()
		got := send()
		require.Equal(t, []string{acceptance, delivery, delivery}, kinds(got))
		require.Equal(t, got[1].xml, got[2].xml)
		require.NotEqual(t, got[1].raw, got[2].raw)
		require.NotEqual(t, got[1].header.Get("Message-ID"), got[2].header.Get("Message-ID"))
	})
	t.Run("in a second folder", func(t *testing.T) {
		defer n.Route(only(pectest.KindDelivery, pectest.Posting{}, pectest.Posting{Folder: "Ricevute"}))()
		got := send()
		require.Equal(t, []string{acceptance, delivery}, kinds(got))
		require.Equal(t, got[1].raw, folder(t, n, mario, "Ricevute")[0].raw)
	})
	t.Run("the newest decides", func(t *testing.T) {
		first := n.Route(only(pectest.KindDelivery))
		second := n.Route(only(pectest.KindDelivery, pectest.Posting{}))
		require.Equal(t, []string{acceptance, delivery}, kinds(send()))
		second()
		second()
		require.Equal(t, []string{acceptance}, kinds(send()))
		first()
		require.Equal(t, []string{acceptance, delivery}, kinds(send()))
	})
	t.Run("complete", func(t *testing.T) {
		var seen []pectest.Notice
		defer n.Route(func(n pectest.Notice) ([]pectest.Posting, bool) {
			seen = append(seen, n)
			return nil, false
		})()
		got := send()
		require.Len(t, seen, 3)
		require.Equal(t, got[0].data.CertID, seen[0].CertID)
		require.Equal(t, pectest.KindTakeInCharge, seen[1].Kind)
		require.Equal(t, "Beta PEC S.p.A.", seen[2].Provider)
	})
}
