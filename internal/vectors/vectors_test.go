package vectors

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

func TestLoad(t *testing.T) {
	all, err := Load()
	require.NoError(t, err)
	require.Equal(t, Count, len(all)) // not Len, which would print all of them
	require.Contains(t, string(Anchors()), "BEGIN CERTIFICATE")

	seen := map[string]int{}
	for _, v := range all {
		seen[string(v.Grade)]++
		seen[v.Code]++
		seen["kind "+v.Kind]++
		for _, w := range v.Warnings {
			seen[w]++
		}
	}
	for _, grade := range []Grade{Valid, Tolerated, Invalid} {
		require.NotZero(t, seen[string(grade)], "no vector of grade %s", grade)
	}
	for _, kind := range kinds() {
		require.NotZero(t, seen["kind "+kind], "no vector of kind %s", kind)
	}
	for _, code := range codes() {
		require.NotZero(t, seen[code], code)
	}
	for _, warning := range warnings() {
		require.NotZero(t, seen[warning], warning)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "comment: c\ngrade: invalid\nkind: none\ncode: unsigned\nnow: 2025-06-01T12:00:00Z\nsigned: 2025-03-10T09:30:00Z\nopenssl: fail\n"
	_, err := parse([]byte(good + "\nmessage"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"unknown key":      good + "colour: red\n\nmessage",
		"unknown fact":     good + "expect-colour: red\n\nmessage",
		"duplicate key":    good + "code: malformed\n\nmessage",
		"empty value":      good + "openssl-why: \n\nmessage",
		"no empty line":    good + "message",
		"no message":       good + "\n",
		"unknown code":     "comment: c\ngrade: invalid\nkind: none\ncode: broken\nnow: 2025-06-01T12:00:00Z\nsigned: 2025-03-10T09:30:00Z\nopenssl: fail\n\nmessage",
		"unneeded reason":  good + "openssl-why: none\n\nmessage",
		"facts of refused": good + "expect-sender: a@b.example\n\nmessage",
	} {
		_, err := parse([]byte(text))
		require.Error(t, err, name)
	}
}

// The key openssl of each vector is what the tool itself says.
func TestOpenSSL(t *testing.T) {
	tool := testenv.Program(t, "openssl")
	all, err := Load()
	require.NoError(t, err)
	dir := t.TempDir()
	anchors := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(anchors, Anchors(), 0o600))
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			message := filepath.Join(dir, v.Name+".eml")
			require.NoError(t, os.WriteFile(message, v.Message, 0o600))
			var complaint bytes.Buffer
			cmd := exec.CommandContext(t.Context(), tool, "cms", "-verify", "-inform", "SMIME", "-in", message,
				"-CAfile", anchors, "-no-CApath", "-no-CAstore", "-purpose", "any",
				"-attime", strconv.FormatInt(v.Signed.Unix(), 10), "-out", os.DevNull)
			cmd.Stderr = &complaint
			err := cmd.Run()
			require.Equal(t, v.OpenSSL, verdict(t, err), complaint.String())
		})
	}
}

// verdict returns the word for an exit of "openssl cms": status 4 is a failed verification, 2 an input that it cannot
// read.
func verdict(t *testing.T, err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "ok"
	case !errors.As(err, &exit):
		t.Fatal(err)
		return ""
	case exit.ExitCode() == 4:
		return "fail"
	default:
		return "unreadable"
	}
}
