package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gopec/gopec/pec/pectest"
)

// control is the HTTP server by which other programs control the network.
type control struct {
	network  *pectest.Network
	listener net.Listener
	server   http.Server
	serving  sync.WaitGroup

	mu     sync.Mutex
	faults []func() // remove the faults
}

// trouble is a fault with a name.
type trouble struct {
	protocol, command string
	fault             pectest.Fault
}

// troubles are the kinds of POST /fault. The fault strikes when the server is about to answer
// something that begins with command.
var troubles = map[string]trouble{
	"cut-before-dot":  {pectest.SMTP, pectest.MomentBody, pectest.Fault{Cut: true}},            // while the message is being sent
	"cut-after-dot":   {pectest.SMTP, pectest.MomentDot, pectest.Fault{Cut: true}},             // accepted, but the client does not know
	"lost-after-dot":  {pectest.SMTP, pectest.MomentDot, pectest.Fault{Cut: true, Lose: true}}, // not accepted, but the client does not know
	"silence":         {pectest.SMTP, pectest.MomentDot, pectest.Fault{Silence: true}},         // accepted, no answer
	"temporary":       {pectest.SMTP, pectest.MomentDot, pectest.Fault{Lose: true}},            // 451
	"drip-smtp":       {pectest.SMTP, "", pectest.Fault{Split: true, Pause: 20 * time.Millisecond}},
	"drip-imap":       {pectest.IMAP, "", pectest.Fault{Split: true, Pause: time.Millisecond}},
	"partial-line":    {pectest.IMAP, "", pectest.Fault{Cut: true, CutAfter: 5}},
	"silence-imap":    {pectest.IMAP, "", pectest.Fault{Silence: true}},
	"cut-mid-literal": {pectest.IMAP, "FETCH", pectest.Fault{MidLiteral: true}},
	"untagged":        {pectest.IMAP, "", pectest.Fault{Insert: "* XSIMULATOR 1 (unknown)\r\n"}},
	"bye":             {pectest.IMAP, "", pectest.Fault{Reply: "* BYE Manutenzione\r\n", Cut: true, CutAfter: 19}},
}

func newControl(network *pectest.Network) (*control, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &control{network: network, listener: listener}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (any, error){
		"POST /advance": c.advance,
		"POST /idle":    c.idle,
		"POST /inject":  c.inject,
		"POST /fault":   c.fault,
		"DELETE /fault": c.mend,
		"POST /fate":    c.fate,
		"GET /messages": c.messages,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(w, r, handle) })
	}
	c.server = http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	// The only error of Serve is that the server was closed.
	c.serving.Go(func() { _ = c.server.Serve(listener) })
	return c, nil
}

func (c *control) address() string { return "http://" + c.listener.Addr().String() }

func (c *control) close() error {
	err := c.server.Close()
	c.serving.Wait()
	return err
}

func answer(w http.ResponseWriter, r *http.Request, handle func(*http.Request) (any, error)) {
	out, err := handle(r)
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"error": err.Error()}
	}
	// This fails only when the client has gone.
	_ = json.NewEncoder(w).Encode(out)
}

func (c *control) now() any { return map[string]string{"now": c.network.Now().Format(time.RFC3339)} }

func (c *control) advance(r *http.Request) (any, error) {
	d, err := time.ParseDuration(r.FormValue("d"))
	if err != nil {
		return nil, err
	}
	if d < 0 {
		return nil, errors.New("d is negative, and time does not go back")
	}
	c.network.Advance(d)
	return c.now(), nil
}

func (c *control) idle(r *http.Request) (any, error) {
	return c.now(), c.network.Idle(r.Context())
}

func (c *control) inject(r *http.Request) (any, error) {
	query := r.URL.Query() // not FormValue, because the body is a message
	to := query["to"]
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		return nil, errors.New("to is missing")
	}
	if query.Has("from") {
		return c.now(), c.network.Receive(query.Get("from"), to, raw)
	}
	folder := query.Get("folder")
	if folder == "" {
		folder = pectest.InboxFolder
	}
	for _, address := range to {
		p := c.network.ProviderOf(address)
		if p == nil {
			return nil, fmt.Errorf("no provider has the domain of %s", address)
		}
		if err := p.Deliver(address, folder, raw); err != nil {
			return nil, err
		}
	}
	return c.now(), nil
}

// messages returns the messages in a folder, oldest first; encoding/json writes the raw
// bytes in base64. It also reads service mailboxes, which have no login.
func (c *control) messages(r *http.Request) (any, error) {
	address, folder := r.FormValue("address"), r.FormValue("folder")
	p := c.network.ProviderOf(address)
	if p == nil {
		return nil, fmt.Errorf("no provider has the domain of %q", address)
	}
	if folder == "" {
		folder = pectest.InboxFolder
	}
	all, err := p.Messages(address, folder)
	return map[string]any{"service": p.ServiceMailbox(), "messages": all}, err
}

func (c *control) fault(r *http.Request) (any, error) {
	t, ok := troubles[r.FormValue("kind")]
	if !ok {
		return nil, fmt.Errorf("unknown kind %q", r.FormValue("kind"))
	}
	times := 1
	if s := r.FormValue("times"); s != "" {
		var err error
		if times, err = strconv.Atoi(s); err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	remove := c.network.Intercept(func(m pectest.Moment) *pectest.Fault {
		if m.Protocol != t.protocol || !strings.HasPrefix(strings.TrimPrefix(m.Command, "UID "), t.command) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if times--; times < 0 {
			return nil
		}
		return &t.fault
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, remove)
	return c.now(), nil
}

func (c *control) mend(*http.Request) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, remove := range c.faults {
		remove()
	}
	c.faults = nil
	return c.now(), nil
}

func (c *control) fate(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	address := r.URL.Query().Get("address")
	if address == "" {
		return nil, errors.New("address is missing")
	}
	var form fateForm
	if err := decode(uncomment(raw), &form); err != nil {
		return nil, err
	}
	c.network.SetFate(address, form.fate())
	return c.now(), nil
}
