package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/pec/pectest"
)

const (
	luigi  = "luigi@beta-pec.example"
	nobody = "nobody@beta-pec.example"
	info   = "info@example.org"
)

// send runs the program against a network and returns its exit status and output.
func send(t *testing.T, n *pectest.Network, args ...string) (int, string, string) {
	t.Helper()
	var out, log bytes.Buffer
	exit := run(t.Context(), append(accounttest.Flags(t, n), args...), strings.NewReader("Buongiorno.\n"), &out, &log)
	return exit, out.String(), log.String()
}
