package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuickstartShowsThreeFates(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	text := out.String()
	for _, line := range []string{
		`(?m)^\d\d:\d\d:\d\d  acceptance +signed by Alfa PEC S\.p\.A\.$`,
		`(?m)^\d\d:\d\d:\d\d  delivery +luigi@beta-pec\.example +signed by Beta PEC S\.p\.A\.$`,
		`(?m)^\d\d:\d\d:\d\d  non-delivery +nobody@beta-pec\.example +signed by Beta PEC S\.p\.A\.$`,
		`(?m)^Message [a-z2-7]{26}@alfa-pec\.example: partial$`,
		`(?m)^  luigi@beta-pec\.example +delivered +certified on `,
		`(?m)^  nobody@beta-pec\.example +failed +5\.1\.1 - `,
		`(?m)^  info@example\.org +ordinary +accepted; `,
	} {
		require.Regexp(t, line, text)
	}
}
