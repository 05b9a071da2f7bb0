package pec_test

import (
	"fmt"
	"net"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

func TestPresets(t *testing.T) {
	presets := pec.Presets()
	require.Len(t, presets, 13)
	require.True(t, slices.IsSortedFunc(presets, func(a, b pec.Preset) int {
		if a.Name < b.Name {
			return -1
		}
		return 1 // also of equal names
	}), "unique names, in order")
	domains := map[string]bool{}
	for _, p := range presets {
		t.Run(p.Name, func(t *testing.T) {
			require.Regexp(t, `^[a-z-]+$`, p.Name)
			require.NotEmpty(t, p.Provider)
			require.NotEmpty(t, p.SMTP.Value)
			for _, d := range p.Domains.Value {
				require.False(t, domains[d], d)
				domains[d] = true
				found, ok := pec.PresetFor("Someone@" + d)
				require.True(t, ok)
				require.Equal(t, p.Name, found.Name)
			}
			checkServer(t, p.SMTP.Value, "465")
			checkServer(t, p.IMAP.Value, "993")
			checkCertainties(t, p)
			require.Contains(t, []pec.LoginForm{"", pec.LoginAddress, pec.LoginUserID}, p.Login.Value)
			for _, throttle := range p.Throttles.Value {
				require.GreaterOrEqual(t, throttle.Code, 500)
				require.NotEmpty(t, throttle.Text, "it would match every refusal")
				require.NotEmpty(t, throttle.Command)
			}
		})
	}
}

// checkServer wants the port of implicit TLS, and no other.
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

// checkCertainties wants one for every fact that is known, and for no other.
func checkCertainties(t *testing.T, p pec.Preset) {
	t.Helper()
	certainties := []pec.Certainty{pec.CertaintyOfficial, pec.CertaintyObserved, pec.CertaintyUncertain}
	facts := 0
	for i := range reflect.TypeFor[pec.Preset]().NumField() {
		field := reflect.ValueOf(p).Field(i)
		if field.Kind() != reflect.Struct {
			continue
		}
		facts++
		name := reflect.TypeFor[pec.Preset]().Field(i).Name
		certainty := field.FieldByName("Certainty").Interface().(pec.Certainty)
		if field.FieldByName("Value").IsZero() {
			require.Empty(t, certainty, name)
		} else {
			require.Contains(t, certainties, certainty, name)
		}
	}
	require.Equal(t, 10, facts)
}

func TestPresetNamed(t *testing.T) {
	p, ok := pec.PresetNamed("Legalmail")
	require.True(t, ok)
	require.Equal(t, 6, p.PerMinute.Value)
	_, ok = pec.PresetNamed("")
	require.False(t, ok)
	for _, address := range []string{"", "@", "a@", "pec.it", "a@b@pec.it", "a@x.pec.it", "a@evilpec.it"} {
		_, ok := pec.PresetFor(address)
		require.False(t, ok, address)
	}
}

func TestPresetsAreTheCallers(t *testing.T) {
	p, _ := pec.PresetNamed("legalmail")
	p.Throttles.Value[0].Code = 250
	p.Domains.Value[0] = "pec.it"
	again, _ := pec.PresetNamed("legalmail")
	require.Equal(t, 550, again.Throttles.Value[0].Code)
	require.Equal(t, "legalmail.it", again.Domains.Value[0])
}

func ExamplePresetFor() {
	preset, ok := pec.PresetFor("studio@legalmail.it")
	if !ok {
		fmt.Println("ask the provider where its servers are")
		return
	}
	fmt.Println(preset.SMTP.Value, preset.SMTP.Certainty)
	fmt.Println("log in with the", preset.Login.Value)
	// Output:
	// sendm.cert.legalmail.it:465 observed
	// log in with the user-id
}
