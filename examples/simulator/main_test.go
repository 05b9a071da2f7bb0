package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec/pectest"
)

// locked is a buffer that is safe for concurrent use.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the program until stop is called.
func start(t *testing.T, args ...string) (line ready, log *locked, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log = &locked{}
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() {
		exit := run(ctx, args, in, log)
		in.Close()
		done <- exit
	}()
	first, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(first), &line))
	stop = sync.OnceFunc(func() {
		cancel()
		require.Zero(t, <-done)
	})
	t.Cleanup(stop)
	return line, log, stop
}

func TestPythonMeetsEveryFate(t *testing.T) {
	python := testenv.Program(t, "python3")
	testenv.Program(t, "openssl")
	line, log, _ := start(t)
	require.Len(t, line.Providers, 2)
	require.Len(t, line.Accounts, 4)
	raw, err := json.Marshal(line)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "client.py"), string(raw)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "ok 9\n", string(out))
	require.True(t, strings.Contains(log.String(), "command=MAIL FROM:<mario@alfa-pec.example>"))
	require.False(t, strings.Contains(log.String(), "mario-password"))
}

func TestShutdownLeavesNothing(t *testing.T) {
	line, _, stop := start(t)
	for _, file := range []string{line.CA, line.Anchors} {
		require.FileExists(t, file)
	}
	stop()
	require.NoFileExists(t, line.CA)
	require.NoDirExists(t, filepath.Dir(line.CA))
	_, err := http.Post(line.Control+"/idle", "", nil)
	require.Error(t, err)
}

func TestExampleConfig(t *testing.T) {
	line, _, _ := start(t, "-config", "config.example.json", "-speed", "2")
	require.Equal(t, account{"mario@alfa-pec.example", "M0000001", "mario-password"}, line.Accounts[0])
	s, err := readConfig("config.example.json")
	require.NoError(t, err)
	require.Equal(t, '.', s.options.Providers[0].Separator)
	require.Equal(t, 90*24*time.Hour, s.options.Providers[0].PasswordLife)
	require.Equal(t, pectest.Style{Engine: pectest.EngineInfoCert, SHA1: true, ShortType: true, Certificate: pectest.CertificateGood}, s.options.Providers[1].Style)
	require.Equal(t, pectest.Never, s.fates["lento@beta-pec.example"].Transit)
	require.WithinDuration(t, time.Now().Add(-48*time.Hour), s.options.Start, time.Minute)
	var now struct{ Now time.Time }
	reply, err := http.PostForm(line.Control+"/advance", url.Values{"d": {"12h"}})
	require.NoError(t, err)
	defer reply.Body.Close()
	require.NoError(t, json.NewDecoder(reply.Body).Decode(&now))
	require.WithinDuration(t, time.Now().Add(-36*time.Hour), now.Now, time.Minute)
}

func TestUsage(t *testing.T) {
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for name, args := range map[string][]string{
		"argument":      {"x"},
		"flag":          {"-x"},
		"speed":         {"-speed", "-1"},
		"no file":       {"-config", filepath.Join(t.TempDir(), "none")},
		"unknown field": {"-config", file(`{"stort": "1h"}`)},
		"bad start":     {"-config", file(`{"start": "ieri"}`)},
		"bad time":      {"-config", file(`{"fates": {"a@b": {"transit": "mai"}}}`)},
		"engine":        {"-config", file(`{"providers": [{"domain": "a.example", "style": {"engine": "x"}}]}`)},
		"certificate":   {"-config", file(`{"providers": [{"domain": "a.example", "style": {"certificate": "x"}}]}`)},
		"malformation":  {"-config", file(`{"providers": [{"domain": "a.example", "style": {"malformed": "x"}}]}`)},
		"brief hash":    {"-config", file(`{"providers": [{"domain": "a.example", "briefHash": "x"}]}`)},
		"no domain":     {"-config", file(`{"providers": [{}]}`)},
	} {
		var out bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &out, io.Discard), name)
		require.Empty(t, out.String(), name)
	}
}

func TestFaultKinds(t *testing.T) {
	line, _, _ := start(t)
	post := func(method, path string) int {
		request, err := http.NewRequestWithContext(t.Context(), method, line.Control+path, nil)
		require.NoError(t, err)
		reply, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer reply.Body.Close()
		return reply.StatusCode
	}
	for kind := range troubles {
		require.Equal(t, http.StatusOK, post(http.MethodPost, "/fault?kind="+kind+"&times=2"), kind)
	}
	require.Equal(t, http.StatusOK, post(http.MethodDelete, "/fault"))
	for _, path := range []string{"/fault?kind=x", "/fault?kind=bye&times=x", "/advance", "/inject", "/inject?to=a@b", "/fate"} {
		require.Equal(t, http.StatusBadRequest, post(http.MethodPost, path), path)
	}
	require.Equal(t, http.StatusBadRequest, post(http.MethodGet, "/messages?address=x"))
	require.Equal(t, http.StatusMethodNotAllowed, post(http.MethodGet, "/advance"))
	require.True(t, strings.HasPrefix(line.Control, "http://127.0.0.1:"))
}
