package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logHandler writes lines for people: the time, what happened, and the attributes.
type logHandler struct {
	mu    *sync.Mutex
	out   io.Writer
	attrs []slog.Attr
}

func newLog(out io.Writer) *slog.Logger {
	return slog.New(logHandler{mu: &sync.Mutex{}, out: out})
}

func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	fmt.Fprintf(&line, "%s  %-8s", r.Time.Format(time.TimeOnly), r.Message)
	write := func(a slog.Attr) bool {
		if text := a.Value.String(); text != "" && text != "false" {
			fmt.Fprintf(&line, "  %s=%s", a.Key, text)
		}
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(write)
	line.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, line.String())
	return err
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

// WithGroup changes nothing: the network's log has no groups.
func (h logHandler) WithGroup(string) slog.Handler { return h }
