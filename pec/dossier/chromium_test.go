package dossier_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

// browser is a headless Chromium, controlled by the DevTools protocol over a pipe.
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	last    int
	session string
	events  []event
}

type event struct {
	Method string
	Params struct {
		Request struct{ URL string }
		Entry   struct{ Text string }
	}
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := testenv.Program(t, "chromium")
	in, toBrowser, err := os.Pipe()
	require.NoError(t, err)
	fromBrowser, out, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{in, out}
	require.NoError(t, cmd.Start())
	require.NoError(t, in.Close())
	require.NoError(t, out.Close())
	b := &browser{t: t, to: toBrowser, from: bufio.NewReader(fromBrowser)}
	t.Cleanup(func() {
		b.session = ""
		b.call("Browser.close", nil, nil)
		cmd.Wait()
		toBrowser.Close()
		fromBrowser.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// next reads the next message of the browser. It keeps an event, and returns the id and
// result of an answer.
func (b *browser) next() (id int, result json.RawMessage) {
	b.t.Helper()
	line, err := b.from.ReadBytes(0)
	require.NoError(b.t, err)
	var m struct {
		ID     int
		Error  json.RawMessage
		Result json.RawMessage
		event
	}
	require.NoError(b.t, json.Unmarshal(line[:len(line)-1], &m), "%s", line)
	require.Empty(b.t, string(m.Error))
	if m.Method != "" {
		b.events = append(b.events, m.event)
	}
	return m.ID, m.Result
}

// call calls a method and waits for its result.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.last++
	m := map[string]any{"id": b.last, "method": method, "params": params}
	if params == nil {
		m["params"] = map[string]any{}
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	line, err := json.Marshal(m)
	require.NoError(b.t, err)
	_, err = b.to.Write(append(line, 0))
	require.NoError(b.t, err)
	for {
		id, raw := b.next()
		if id != b.last {
			continue
		}
		if result != nil {
			require.NoError(b.t, json.Unmarshal(raw, result))
		}
		return
	}
}

// open opens a file at a width in CSS pixels, and returns the events until it was loaded.
func (b *browser) open(file string, width int) []event {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 1100, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	for !b.seen("Page.loadEventFired") {
		b.next()
	}
	return b.events
}

func (b *browser) seen(method string) bool {
	for _, e := range b.events {
		if e.Method == method {
			return true
		}
	}
	return false
}

// eval returns the value of an expression in the page.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &out)
	require.Empty(b.t, string(out.ExceptionDetails))
	return out.Result.Value
}

// keep writes a picture of the page into the folder that DOSSIER_PICTURES names, if it is
// set.
func (b *browser) keep(name string, width int) {
	b.t.Helper()
	dir := os.Getenv("DOSSIER_PICTURES")
	if dir == "" {
		return
	}
	var out struct{ Data []byte }
	height := b.eval("document.documentElement.scrollHeight").(float64)
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}, &out)
	require.NoError(b.t, os.WriteFile(fmt.Sprintf("%s/%s-%d.png", dir, name, width), out.Data, 0o600))
}

// print returns the page as a PDF.
func (b *browser) print() []byte {
	b.t.Helper()
	var out struct{ Data string }
	b.call("Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": false}, &out)
	pdf, err := base64.StdEncoding.DecodeString(out.Data)
	require.NoError(b.t, err)
	return pdf
}
