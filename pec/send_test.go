package pec_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/receipt"
)

func TestASentMessageSaysWhatWasAskedFor(t *testing.T) {
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, pectest.Start(t, nil), p, p, nil)
	file := bytes.Repeat([]byte{0, 1, 2, 0xff, '\n'}, 1000)
	id, err := c.Send(t.Context(), pec.Message{
		To:          []string{"Luigi Verdì <" + luigi + ">", nobody},
		Cc:          []string{info},
		ReplyTo:     "ufficio@alfa-pec.example",
		Subject:     "Però – città, " + strings.Repeat("lunghissimo oggetto ", 8),
		Text:        "Perché no?\nSì.\n.\n",
		Attachments: []pec.Attachment{{Name: "fattura di dicembre – è.pdf", Type: "application/pdf", Content: bytes.NewReader(file)}},
		Receipt:     receipt.DetailBrief,
	})
	require.NoError(t, err)
	require.Regexp(t, `^[a-z2-7]{26}@alfa-pec\.example$`, id)

	require.Len(t, p.submitted, 1)
	s := p.submitted[0]
	require.Equal(t, me, s.From)
	require.Equal(t, []string{luigi, nobody, info}, s.To)
	require.EqualValues(t, len(s.raw), s.Size)
	require.NotRegexp(t, regexp.MustCompile(`[^\r]\n|\r[^\n]`), string(s.raw), "only CRLF line ends")
	for _, b := range s.raw {
		require.Less(t, b, byte(0x80), "seven bits")
	}
	for line := range strings.Lines(string(s.raw)) {
		require.LessOrEqual(t, len(line), 78+2, line)
	}

	m, err := mail.ReadMessage(bytes.NewReader(s.raw))
	require.NoError(t, err)
	require.Equal(t, "<"+id+">", m.Header.Get("Message-ID"))
	require.Equal(t, "breve", m.Header.Get("X-TipoRicevuta"))
	require.Equal(t, []string{"1.0"}, m.Header["Mime-Version"])
	from, err := m.Header.AddressList("From")
	require.NoError(t, err)
	require.Len(t, from, 1)
	require.Equal(t, me, from[0].Address)
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, "Luigi Verdì", to[0].Name)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "Però – città, "+strings.Repeat("lunghissimo oggetto ", 8), subject)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(m.Body, params["boundary"])
	text, err := parts.NextPart()
	require.NoError(t, err)
	body, err := io.ReadAll(text)
	require.NoError(t, err)
	require.Equal(t, "Perché no?\r\nSì.\r\n.\r\n", string(body))
	attached, err := parts.NextRawPart()
	require.NoError(t, err)
	require.Equal(t, "fattura di dicembre – è.pdf", attached.FileName())

	status, err := c.Status(t.Context(), "<"+strings.ToUpper(id)+">")
	require.NoError(t, err)
	require.Equal(t, id, status.MessageID)
	require.Equal(t, pec.StateSubmitted, status.Recipients[2].State)
}

func TestAMessageIDStaysShort(t *testing.T) {
	n := pectest.Start(t, nil)
	v := trusttest.Verifier(t, n, nil)
	p := &ports{outcome: pec.OutcomeSubmitted}
	c, err := pec.New("Ufficio@PEC.un-nome-di-ente-molto-lungo.provincia-di-qualche-luogo.example", p, p, v, nil)
	require.NoError(t, err)
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}})
	require.NoError(t, err)
	require.LessOrEqual(t, len(id), 70)
	require.True(t, strings.HasSuffix(id, "@provincia-di-qualche-luogo.example"), id)
}

func TestEveryProblemIsReportedAndNothingIsSent(t *testing.T) {
	p := &ports{outcome: pec.OutcomeSubmitted}
	c := newClient(t, pectest.Start(t, nil), p, p, nil)
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		message pec.Message
		want    []pec.Problem
	}{
		"no recipient": {pec.Message{Cc: []string{luigi}}, []pec.Problem{{Field: "To", Reason: pec.ProblemMissing}}},
		"everything": {
			pec.Message{
				To:          []string{"luigi", "LUIGI@beta-pec.example", "a@b.example\r\nBcc: c@d.example"},
				Cc:          []string{luigi, "ü@beta-pec.example", "a@b.example, c@d.example"},
				ReplyTo:     "\"x y\"@beta-pec.example",
				Subject:     "a\r\nBcc: c@d.example",
				Receipt:     "completa",
				Attachments: []pec.Attachment{{Name: "a\nb", Type: "message/rfc822", Content: strings.NewReader("")}, {}},
			},
			[]pec.Problem{
				{Field: "To", Value: "luigi", Reason: pec.ProblemBadAddress},
				{Field: "To", Value: "a@b.example\r\nBcc: c@d.example", Reason: pec.ProblemControl},
				{Field: "Cc", Value: luigi, Reason: pec.ProblemDuplicate},
				{Field: "Cc", Value: "ü@beta-pec.example", Reason: pec.ProblemBadAddress},
				{Field: "Cc", Value: "a@b.example, c@d.example", Reason: pec.ProblemBadAddress},
				{Field: "ReplyTo", Value: "\"x y\"@beta-pec.example", Reason: pec.ProblemBadAddress},
				{Field: "Subject", Value: "a\r\nBcc: c@d.example", Reason: pec.ProblemControl},
				{Field: "Receipt", Value: "completa", Reason: pec.ProblemBadReceipt},
				{Field: "Attachments", Value: "a\nb", Reason: pec.ProblemControl},
				{Field: "Attachments", Value: "message/rfc822", Reason: pec.ProblemBadType},
				{Field: "Attachments", Reason: pec.ProblemMissing},
			},
		},
		"unreadable attachment": {
			pec.Message{To: []string{luigi}, Attachments: []pec.Attachment{{Name: "a", Content: iotest.ErrReader(boom)}}},
			[]pec.Problem{{Field: "Attachments", Value: "a", Reason: pec.ProblemUnreadable, Err: boom}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := c.Send(t.Context(), test.message)
			require.Empty(t, id)
			ce, ok := errors.AsType[*pec.ComposeError](err)
			require.True(t, ok, "%v", err)
			for i := range ce.Problems {
				if ce.Problems[i].Reason == pec.ProblemBadAddress {
					ce.Problems[i].Err = nil
				}
			}
			require.Equal(t, test.want, ce.Problems)
			require.Empty(t, p.submitted)
		})
	}
}

func TestOutcomesOtherThanSubmittedAreErrorsThatKeepTheSend(t *testing.T) {
	n := pectest.Start(t, nil)
	for kind, want := range map[pec.OutcomeKind]pec.State{
		pec.OutcomeUncertain:      pec.StateUncertain,
		pec.OutcomeRefused:        pec.StateRefused,
		pec.OutcomeTemporary:      pec.StateRetrying,
		pec.OutcomeAuthentication: pec.StateSuspended,
	} {
		t.Run(string(kind), func(t *testing.T) {
			p := &ports{outcome: kind}
			c := newClient(t, n, p, p, nil)
			id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}})
			se, ok := errors.AsType[*pec.SendError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, id, se.MessageID)
			require.Equal(t, kind, se.Outcome.Kind)
			status, err := c.Status(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, want, status.Recipients[0].State)
			require.Len(t, p.submitted, 1, "Send tries once")
		})
	}
}

func TestNewRefusesWhatIsMissingOrWrong(t *testing.T) {
	n := pectest.Start(t, nil)
	p := &ports{}
	v := trusttest.Verifier(t, n, nil)
	for name, err := range map[string]error{
		"no address":   errorOf(pec.New("mario", p, p, v, nil)),
		"display name": errorOf(pec.New("Mario <"+me+">", p, p, v, nil)),
		"no submitter": errorOf(pec.New(me, nil, p, v, nil)),
		"no mailbox":   errorOf(pec.New(me, p, nil, v, nil)),
		"no verifier":  errorOf(pec.New(me, p, p, nil, nil)),
	} {
		require.Error(t, err, name)
		var refused *pec.OptionError
		require.Equal(t, strings.HasPrefix(name, "no ") && name != "no address", errors.As(err, &refused), name)
	}
	for option, opts := range map[string]pec.Options{
		"RetryFor": {RetryFor: -1}, "OverdueAfter": {OverdueAfter: -1}, "PollInterval": {PollInterval: -1}, "KeySecret": {KeySecret: []byte("short")},
	} {
		_, err := pec.New(me, p, p, v, &opts)
		var refused *pec.OptionError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "Options."+option, refused.Option)
	}
	c, err := pec.New(me, p, p, v, nil)
	require.NoError(t, err)
	_, err = c.Status(t.Context(), "m9@alfa-pec.example")
	require.ErrorIs(t, err, pec.ErrUnknownSend)
}
