package provider_test

import (
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/provider"
)

const (
	mario = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
)

// presetOf is the preset of the provider of an account of a network.
func presetOf(n *pectest.Network, address string) (provider.Preset, pec.Login) {
	a := n.Access(address)
	return provider.Preset{SMTP: a.SMTP, IMAP: a.IMAP, TLS: a.TLS, Anchors: trusttest.Anchors(n)}, pec.Password(a.Login, a.Password)
}
