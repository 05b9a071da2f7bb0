package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows on a terminal how much is done, once the work takes long.
type progress struct {
	w     io.Writer // nil when it is not a terminal
	total int
	start time.Time
	shown bool
}

const (
	patience = 500 * time.Millisecond
	barWidth = 30
)

func newProgress(w io.Writer, total int) *progress {
	p := &progress{total: total, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

func (p *progress) show(done int) {
	if p.w == nil || time.Since(p.start) < patience {
		return
	}
	filled := barWidth * done / p.total
	fmt.Fprintf(p.w, "\r[%s%s] %d of %d", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), done, p.total)
	p.shown = true
}

// clear removes the bar, to make room for a line of output.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
