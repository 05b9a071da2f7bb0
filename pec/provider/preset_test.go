package provider_test

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/provider"
)

func TestAll(t *testing.T) {
	presets := provider.All()
	require.Len(t, presets, 13)
	require.True(t, slices.IsSortedFunc(presets, func(a, b provider.Preset) int {
		if a.Name < b.Name {
			return -1
		}
		return 1 // for equal names too, which makes them an error
	}), "unique names, in order")
	domains := map[string]bool{}
	for _, p := range presets {
		t.Run(p.Name, func(t *testing.T) {
			require.Regexp(t, `^[a-z-]+$`, p.Name)
			require.NotEmpty(t, p.Service)
			require.NotEmpty(t, p.SMTP)
			for _, d := range p.Domains {
				require.False(t, domains[d], d)
				domains[d] = true
				found, ok := provider.For("Someone@" + d)
				require.True(t, ok)
				require.Equal(t, p.Name, found.Name)
			}
			checkServer(t, p.SMTP, "465")
			checkServer(t, p.IMAP, "993")
			for _, throttle := range p.Throttles {
				require.GreaterOrEqual(t, throttle.Code, 500)
				require.NotEmpty(t, throttle.Text, "it would match every refusal")
				require.NotEmpty(t, throttle.Command)
			}
		})
	}
}

// checkServer requires a host name with the given port, or no server.
func checkServer(t *testing.T, server, port string) {
	t.Helper()
	if server == "" {
		return
	}
	host, got, err := net.SplitHostPort(server)
	require.NoError(t, err)
	require.Equal(t, port, got)
	require.Regexp(t, regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`), host)
}

func TestNamedAndFor(t *testing.T) {
	p, ok := provider.Named("Legalmail")
	require.True(t, ok)
	require.Equal(t, 6, p.PerMinute)
	_, ok = provider.Named("")
	require.False(t, ok)
	for _, address := range []string{"", "@", "a@", "pec.it", "a@b@pec.it", "a@x.pec.it", "a@evilpec.it"} {
		_, ok := provider.For(address)
		require.False(t, ok, address)
	}
}

func TestPresetsAreCopies(t *testing.T) {
	p, _ := provider.Named("legalmail")
	p.Throttles[0].Code = 250
	p.Domains[0] = "pec.it"
	again, _ := provider.Named("legalmail")
	require.Equal(t, 550, again.Throttles[0].Code)
	require.Equal(t, "legalmail.it", again.Domains[0])
}

func ExampleFor() {
	preset, ok := provider.For("studio@legalmail.it")
	if !ok {
		fmt.Println("ask the provider where its servers are")
		return
	}
	fmt.Println(preset.SMTP, "takes", preset.PerMinute, "messages a minute")
	// Output:
	// sendm.cert.legalmail.it:465 takes 6 messages a minute
}
