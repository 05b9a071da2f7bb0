package pec

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/mailtext"
)

func TestEveryProblemReasonHasARule(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "problem.go", nil, 0)
	require.NoError(t, err)
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "ProblemReason" {
				reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				reasons = append(reasons, reason)
			}
		}
		return true
	})
	require.Len(t, reasons, 21)
	require.Len(t, problemRules, len(reasons))
	for _, reason := range reasons {
		rule := problemRules[ProblemReason(reason)]
		require.NotEmpty(t, rule, reason)
		require.NotContains(t, rule, ";", "it separates problems")
		require.Contains(t, Problem{Field: "To", Value: "x", Reason: ProblemReason(reason)}.String(), `To "x": `+reason+": "+rule)
	}
}

// The numbers in the rules are those that are enforced.
func TestTheRulesNameTheLimits(t *testing.T) {
	for reason, limits := range map[ProblemReason][]int{
		ProblemBadKey:       {maxKey},
		ProblemTooLong:      {maxKey, maxFieldName, mailtext.MaxFileName, maxRawHeader >> 20},
		ProblemBadMessageID: {maxForeignMessageID},
		ProblemBadType:      {mailtext.LongWord},
		ProblemLongLine:     {mailtext.MaxLine},
		ProblemBadAddress:   {254},
	} {
		for _, limit := range limits {
			require.Contains(t, strings.Fields(strings.ReplaceAll(problemRules[reason], ",", "")), fmt.Sprint(limit), reason)
		}
	}
	local := strings.Repeat("a", 254-len("@beta-pec.example"))
	require.True(t, mailtext.IsPlainAddress(local+"@beta-pec.example"))
	require.False(t, mailtext.IsPlainAddress("a"+local+"@beta-pec.example"))
}

func TestAComposeErrorSaysEachRuleOnce(t *testing.T) {
	_, err := compose(t.Context(), "me@alfa-pec.example", Message{
		To:          []string{"a@beta-pec.example", "A@beta-pec.example", "a@beta-pec.example"},
		Key:         "chiave è",
		Attachments: []Attachment{{Name: "a", Content: bytes.NewReader(make([]byte, 2000))}},
	}, Limits{SizeTimesRecipients: 3000, Recipients: 2}, time.Unix(0, 0))
	text := err.Error()
	for _, reason := range []ProblemReason{ProblemDuplicate, ProblemBadKey, ProblemTooMany, ProblemTooLarge} {
		require.Equal(t, 1, strings.Count(text, problemRules[reason]), "%s in %s", reason, text)
	}
	require.Equal(t, 2, strings.Count(text, "duplicate"), text)
	require.Contains(t, text, (&LimitError{Limit: 2, Got: 3}).Error())
	require.Contains(t, text, "3000", "the limit of the product")
}
