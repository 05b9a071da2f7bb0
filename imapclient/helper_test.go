package imapclient_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

const (
	user   = "mario@pec.example"
	secret = "s3cret"
	notice = "X-Ricevuta: accettazione\r\nContent-Type: multipart/signed; boundary=x\r\n\r\n"
	plain  = "Content-Type: text/plain\r\n\r\n"
)

// The sender and the recipient of package pectest's messages.
const (
	me    = "mario@alfa-pec.example"
	luigi = "luigi@beta-pec.example"
)

// reference is the Message-ID that tests search for.
const reference = "<abc.123@pec.example>"

// ours is the message that tests save.
const ours = "Message-ID: <abc@pec.example>\r\nSubject: x\r\n\r\nciao\r\n"

// three are three messages. The second is ordinary mail, and its body is not fetched.
var three = []string{notice + "uno\r\n", plain + "due\r\n", notice + "tre\r\n"}

var inbox = pec.Cursor{Folder: "INBOX"}

// delivery returns a delivery receipt of 18 KB.
func delivery(b testing.TB, n *pectest.Network, id string) string {
	original := "From: " + me + "\r\nTo: " + luigi + "\r\nSubject: Diffida\r\nMIME-Version: 1.0\r\n\r\n"
	for len(original) < 11_000 {
		original += "Lorem ipsum dolor sit amet, consectetur adipisici elit, sed eiusmod tempor.\r\n"
	}
	raw, err := n.Providers()[1].Emit(pectest.Notice{
		Kind: pectest.KindDelivery, Sender: me, Subject: "Diffida", MessageID: "<" + id + ">", Delivered: luigi,
		Recipients: []pectest.Recipient{{Address: luigi}}, ReceiptKind: pectest.ReceiptFull, Original: []byte(original),
	})
	require.NoError(b, err)
	return string(raw)
}

// got is one item, with its body read.
type got struct {
	uid  uint32
	body string // "-" for none
}

// collect reads a folder from a cursor to its end.
func collect(ctx context.Context, c *imapclient.Client, after pec.Cursor) (all []got, items []pec.Item, err error) {
	for item, err := range c.Fetch(ctx, after) {
		if err != nil {
			return all, items, err
		}
		g := got{uid: item.Cursor.UID, body: "-"}
		if item.Body != nil {
			b, err := io.ReadAll(item.Body)
			if err != nil {
				continue // the iteration ends with the error
			}
			g.body = string(b)
		}
		all, items = append(all, g), append(items, item)
	}
	return all, items, nil
}

// collectReadable reads a folder to its end and skips every unreadable message.
func collectReadable(ctx context.Context, c *imapclient.Client, after pec.Cursor) (all []got, unreadable []uint32, err error) {
	for {
		some, _, err := collect(ctx, c, after)
		all = append(all, some...)
		var one *pec.MessageError
		if !errors.As(err, &one) {
			return all, unreadable, err
		}
		after, unreadable = one.Cursor, append(unreadable, one.Cursor.UID)
	}
}

// searched collects what a Search for one Message-ID yields.
func searched(ctx context.Context, c *imapclient.Client, folder, messageID string) (all []got, err error) {
	return searchedFor(ctx, c, folder, []string{messageID})
}

// searchedFor collects what a Search for several Message-IDs yields.
func searchedFor(ctx context.Context, c *imapclient.Client, folder string, messageIDs []string) (all []got, err error) {
	for item, err := range c.Search(ctx, folder, messageIDs) {
		if err != nil {
			return all, err
		}
		b, err := io.ReadAll(item.Body)
		if err != nil {
			continue // the iteration ends with the error
		}
		all = append(all, got{item.Cursor.UID, string(b)})
	}
	return all, nil
}

// waiting runs Wait in a goroutine and returns a channel for its result.
func waiting(ctx context.Context, c *imapclient.Client) <-chan error {
	result := make(chan error, 1)
	go func() { result <- c.Wait(ctx) }()
	return result
}

// save saves ours.
func save(s *imapclient.SentFolder) error {
	return s.Save(context.Background(), "abc@pec.example", int64(len(ours)), strings.NewReader(ours))
}

// checkReason requires that err is an *Error with reason.
func checkReason(t *testing.T, err error, reason imapclient.Reason) {
	t.Helper()
	var known *imapclient.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, reason, known.Reason, "%v", err)
}

// peak measures the most memory in use, beyond that at the start, until stop is called.
func peak() (stop func() uint64) {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		var most uint64
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse+now.StackInuse)
			select {
			case <-done:
				result <- most - min(most, before.HeapInuse+before.StackInuse)
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-result
	}
}

// mail is one message of the fake's folder.
type mail struct {
	uid     uint32
	text    string
	omit    int    // how many FETCHes of its text leave it out
	flags   int    // how many of its answers follow a change of flags
	nobody  bool   // its text is NIL
	late    bool   // the UID comes after the literal
	hang    int    // how often the server hangs up instead of sending its text
	deaf    int    // how often the server hangs up instead of sending its header
	broken  int    // how many of its answers make no sense
	size    int    // the size to announce, if larger than the text
	vanish  bool   // it is expunged as soon as its header has been sent
	arrived string // its INTERNALDATE
}

// fake is a server with one folder. Tests can spoil its answers.
type fake struct {
	addr   string
	client *tls.Config

	at     string // the stage of the fault, which strikes once
	fault  string // silent, close or spew
	spew   func(io.Writer)
	struck atomic.Bool

	mu        sync.Mutex
	caps      string
	refuse    map[string]string // the tagged answer that replaces a command's own
	greeting  string
	challenge string // in answer to a login
	validity  uint32
	next      uint32 // the next UID
	mails     []mail
	reverse   bool   // bodies come in descending order
	quirk     bool   // n:* includes the last message
	noise     string // untagged data before each tagged answer
	list      string // the answer to LIST
	quota     string // the answer to GETQUOTAROOT
	longest   int    // the longest command in octets that is accepted; 0 for any
	overlong  string // the answer to a longer command; "" ends the connection
	mute      int    // how many APPENDs end the connection instead of getting a reply
	commands  []string
	dials     int
	tag       string        // of the last command
	reached   chan struct{} // receives when the fault strikes
	idling    chan struct{} // receives when an IDLE has begun
	push      chan string   // untagged data for an IDLE
}

func newFake(t *testing.T, texts ...string) *fake {
	id := testenv.NewIdentity(t)
	f := &fake{
		client: id.Client, validity: 7, next: 1, quirk: true,
		caps:     "IMAP4rev1 IDLE AUTH=PLAIN SASL-IR",
		greeting: "* OK fake", refuse: map[string]string{},
		reached: make(chan struct{}, 10), idling: make(chan struct{}, 10), push: make(chan string, 10),
	}
	for _, text := range texts {
		f.add(text)
	}
	f.addr = testenv.Listen(t, id.Server, func(conn net.Conn) {
		f.lock(func() { f.dials++ })
		f.serve(conn)
	})
	return f
}

func (f *fake) lock(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fake) add(text string) *mail {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mails = append(f.mails, mail{uid: f.next, text: text, arrived: "21-Nov-2026 10:00:00 +0100"})
	f.next++
	return &f.mails[len(f.mails)-1]
}

func (f *fake) open(t *testing.T, opts *imapclient.Options) *imapclient.Client {
	if opts == nil {
		opts = &imapclient.Options{Timeout: 10 * time.Second}
	}
	opts.TLS = f.client
	c, err := imapclient.New(f.addr, pec.Password(user, secret), opts)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func (f *fake) sent(t *testing.T, opts *imapclient.SentOptions) *imapclient.SentFolder {
	if opts == nil {
		opts = &imapclient.SentOptions{Timeout: 10 * time.Second}
	}
	opts.TLS = f.client
	s, err := imapclient.NewSentFolder(f.addr, pec.Password(user, secret), opts)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// heard returns the commands that begin with verb, without their tags.
func (f *fake) heard(verb string) (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.commands {
		if strings.HasPrefix(line, verb) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (f *fake) due(stage string) bool { return stage == f.at && !f.struck.Load() }

// strike plays the fault if this is its stage. It returns true if the dialogue is over.
func (f *fake) strike(r io.Reader, w *bufio.Writer, stage string) bool {
	if !f.due(stage) || f.struck.Swap(true) {
		return false
	}
	f.reached <- struct{}{}
	switch f.fault {
	case "silent":
		_, _ = io.Copy(io.Discard, r)
	case "spew":
		f.spew(w)
		w.Flush()
		_, _ = io.Copy(io.Discard, r)
	}
	return true
}

func (f *fake) serve(conn net.Conn) {
	r, w := bufio.NewReader(conn), bufio.NewWriter(conn)
	if f.strike(r, w, "greeting") {
		return
	}
	fmt.Fprintf(w, "%s\r\n", f.greeting)
	seen := map[string]int{}
	for {
		if w.Flush() != nil {
			return
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		tag, line, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		f.lock(func() { f.commands, f.tag = append(f.commands, line), tag })
		if f.longest > 0 && len(line) > f.longest {
			if f.overlong == "" {
				return
			}
			fmt.Fprintf(w, "%s %s\r\n", tag, f.overlong)
			continue
		}
		verb, args, _ := strings.Cut(line, " ")
		if verb == "UID" {
			verb, args, _ = strings.Cut(args, " ")
		}
		stage := verb
		switch {
		case verb == "FETCH" && strings.Contains(args, "HEADER.FIELDS"):
			stage = "FETCH head"
		case verb == "FETCH":
			stage = "FETCH body"
		}
		seen[stage]++
		if f.strike(r, w, stage) || f.strike(r, w, fmt.Sprintf("%s %d", stage, seen[stage])) {
			return
		}
		if verb == "AUTHENTICATE" && !f.authenticate(r, w, args) {
			return
		}
		if answer := f.answer(verb); answer != "" {
			fmt.Fprintf(w, "%s %s\r\n", tag, answer)
			continue
		}
		if !f.command(r, w, verb, args) {
			return
		}
		fmt.Fprintf(w, "%s%s OK done\r\n", f.noise, tag)
		if verb == "LOGOUT" {
			w.Flush()
			return
		}
	}
}

// authenticate plays the rest of an AUTHENTICATE. It returns false to hang up.
func (f *fake) authenticate(r *bufio.Reader, w *bufio.Writer, args string) bool {
	say := func(text string) {
		fmt.Fprintf(w, "+ %s\r\n", text)
		w.Flush()
		line, _ := r.ReadString('\n')
		f.lock(func() { f.commands = append(f.commands, strings.TrimRight(line, "\r\n")) })
	}
	if !strings.Contains(args, " ") {
		say("")
	}
	if f.challenge != "" {
		say(base64.StdEncoding.EncodeToString([]byte(f.challenge)))
	}
	return f.refuse["AUTHENTICATE"] != "-"
}

func (f *fake) answer(verb string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refuse[verb]
}

func (f *fake) command(r *bufio.Reader, w *bufio.Writer, verb, args string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch verb {
	case "CAPABILITY":
		fmt.Fprintf(w, "* CAPABILITY %s\r\n", f.caps)
	case "EXAMINE":
		fmt.Fprintf(w, "* %d EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY %d] fine\r\n* OK [UIDNEXT %d] fine\r\n",
			len(f.mails), f.validity, f.next)
	case "SEARCH":
		if _, terms, ok := strings.Cut(args, "HEADER "); ok {
			f.searchHeader(w, terms)
			break
		}
		_, set, _ := strings.Cut(args, "UID ")
		set, _, _ = strings.Cut(set, " ")
		fmt.Fprint(w, "* SEARCH")
		for _, m := range f.match(set) {
			fmt.Fprintf(w, " %d", m.uid)
		}
		fmt.Fprint(w, "\r\n")
	case "FETCH":
		set, items, _ := strings.Cut(args, " ")
		if strings.Contains(items, "HEADER.FIELDS") {
			return f.fetchHeads(r, w, set)
		}
		return f.fetchBodies(r, w, set, strings.Contains(items, "<0.1>"))
	case "IDLE":
		return f.idle(r, w)
	case "LIST":
		fmt.Fprint(w, f.list)
	case "GETQUOTAROOT":
		fmt.Fprint(w, f.quota)
	case "APPEND":
		return f.append(r, w, args)
	}
	return true
}

// searchHeader finds the messages that have any of the quoted names with its quoted
// text.
func (f *fake) searchHeader(w io.Writer, terms string) {
	words := strings.Split(terms, `"`)
	found := func(line string) bool {
		name, value, _ := strings.Cut(line, ":")
		for i := 1; i+2 < len(words); i += 4 {
			if strings.EqualFold(name, words[i]) && strings.Contains(value, words[i+2]) {
				return true
			}
		}
		return false
	}
	fmt.Fprint(w, "* SEARCH")
	for _, m := range f.mails {
		header, _, _ := strings.Cut(m.text, "\r\n\r\n")
		if slices.ContainsFunc(strings.Split(header, "\r\n"), found) {
			fmt.Fprintf(w, " %d", m.uid)
		}
	}
	fmt.Fprint(w, "\r\n")
}

func (f *fake) append(r *bufio.Reader, w *bufio.Writer, args string) bool {
	open := strings.LastIndex(args, "{")
	size, err := strconv.Atoi(strings.TrimSuffix(args[open+1:], "}"))
	if err != nil {
		return false
	}
	fmt.Fprint(w, "+ go on\r\n")
	w.Flush()
	text := make([]byte, size)
	if f.due("APPEND literal") {
		_, _ = io.ReadFull(r, text[:size/2])
		f.strike(r, w, "APPEND literal")
		return false
	}
	if _, err := io.ReadFull(r, text); err != nil {
		return false
	}
	if line, err := r.ReadString('\n'); err != nil || line != "\r\n" {
		return false
	}
	f.mails = append(f.mails, mail{uid: f.next, text: string(text), arrived: "21-Nov-2026 10:00:00 +0100"})
	f.next++
	f.mute--
	return f.mute < 0
}

// match returns the messages of a UID set.
func (f *fake) match(set string) (found []*mail) {
	for i := range f.mails {
		m := &f.mails[i]
		for _, part := range strings.Split(set, ",") {
			low, high, isRange := strings.Cut(part, ":")
			from, _ := strconv.Atoi(low)
			to, _ := strconv.Atoi(high)
			if !isRange {
				to = from
			}
			in := int(m.uid) >= from && (int(m.uid) <= to || high == "*")
			if in || (f.quirk && high == "*" && i == len(f.mails)-1) {
				found = append(found, m)
				break
			}
		}
	}
	return found
}

func (f *fake) fetchHeads(r *bufio.Reader, w *bufio.Writer, set string) bool {
	var gone []uint32
	for i, m := range f.match(set) {
		header, _, _ := strings.Cut(m.text, "\r\n\r\n")
		header += "\r\n\r\n"
		if m.deaf > 0 {
			m.deaf--
			w.Flush()
			return false
		}
		if m.flags > 0 {
			m.flags--
			fmt.Fprintf(w, "* %d FETCH (UID %d FLAGS (\\Seen))\r\n", i+1, m.uid)
		}
		fmt.Fprintf(w, "* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE %q BODY[HEADER.FIELDS (X-Ricevuta X-Trasporto Content-Type)] {%d}\r\n",
			i+1, m.uid, max(m.size, len(m.text)), m.arrived, len(header))
		fmt.Fprint(w, header[:5])
		if f.due("head literal") {
			w.Flush()
			f.strike(r, w, "head literal")
			return false
		}
		fmt.Fprintf(w, "%s)\r\n", header[5:])
		if m.vanish {
			gone = append(gone, m.uid)
		}
	}
	f.mails = slices.DeleteFunc(f.mails, func(m mail) bool { return slices.Contains(gone, m.uid) })
	return true
}

func (f *fake) fetchBodies(r *bufio.Reader, w *bufio.Writer, set string, start bool) bool {
	found := f.match(set)
	if f.reverse {
		slices.Reverse(found)
	}
	for i, m := range found {
		if m.omit > 0 {
			m.omit--
			continue
		}
		if m.hang > 0 {
			m.hang--
			w.Flush()
			return false
		}
		if m.broken > 0 {
			m.broken--
			fmt.Fprintf(w, "* %d FETCH (UID %d INTERNALDATE \"yesterday\")\r\n", i+1, m.uid)
		}
		if m.flags > 0 {
			m.flags--
			fmt.Fprintf(w, "* %d FETCH (FLAGS (\\Seen) UID %d)\r\n", i+1, m.uid)
		}
		switch {
		case start:
			fmt.Fprintf(w, "* %d FETCH (UID %d BODY[]<0> {1}\r\n%.1s)\r\n", i+1, m.uid, m.text)
			continue
		case m.nobody:
			fmt.Fprintf(w, "* %d FETCH (UID %d BODY[] NIL)\r\n", i+1, m.uid)
			continue
		case m.late:
			fmt.Fprintf(w, "* %d FETCH (BODY[] {%d}\r\n%s UID %d)\r\n", i+1, len(m.text), m.text, m.uid)
			continue
		}
		fmt.Fprintf(w, "* %d FETCH (UID %d BODY[] {%d}\r\n", i+1, m.uid, len(m.text))
		if f.due("body literal") {
			fmt.Fprint(w, m.text[:len(m.text)/2])
			w.Flush()
			f.strike(r, w, "body literal")
			return false
		}
		fmt.Fprintf(w, "%s)\r\n", m.text)
	}
	return true
}

func (f *fake) idle(r *bufio.Reader, w *bufio.Writer) bool {
	fmt.Fprint(w, "+ idling\r\n")
	if w.Flush() != nil || f.strike(r, w, "idling") {
		return false
	}
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case f.idling <- struct{}{}:
	default: // no test waits for it
	}
	done := make(chan bool)
	go func() {
		_, err := r.ReadString('\n')
		done <- err == nil
	}()
	for {
		select {
		case ok := <-done:
			return ok && !f.strike(r, w, "DONE")
		case data := <-f.push:
			fmt.Fprintf(w, "%s\r\n", data)
			w.Flush()
		}
	}
}

// owner is a second session on the mailbox, which can write.
type owner struct {
	t      *testing.T
	client *goimap.Client
}

func newOwner(t *testing.T, addr string, id testenv.Identity, user string) owner {
	client, err := goimap.DialTLS(addr, &goimap.Options{TLSConfig: id.Client})
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	require.NoError(t, client.Login(user, secret).Wait())
	_, err = client.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	return owner{t, client}
}

func (o owner) do(err error) {
	o.t.Helper()
	require.NoError(o.t, err)
}

func (o owner) append(folder, text string, at time.Time) {
	o.t.Helper()
	command := o.client.Append(folder, int64(len(text)), &imap.AppendOptions{Time: at})
	_, err := io.WriteString(command, text)
	o.do(err)
	o.do(command.Close())
	_, err = command.Wait()
	o.do(err)
}

func (o owner) search(criteria *imap.SearchCriteria) []imap.UID {
	data, err := o.client.UIDSearch(criteria, nil).Wait()
	o.do(err)
	return data.AllUIDs()
}

func (o owner) expunge(uid imap.UID) {
	o.do(o.client.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	o.do(o.client.UIDExpunge(imap.UIDSetNum(uid)).Close())
}

// mark marks a range of messages as read.
func (o owner) mark(from, to imap.UID) {
	set := imap.UIDSet{imap.UIDRange{Start: from, Stop: to}}
	o.do(o.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close())
}

// dovecot is a running Dovecot. Every user name has a mailbox, with the one password.
type dovecot struct {
	testenv.Dovecot
	t *testing.T
}

func (d dovecot) open(id testenv.Identity, user string, opts imapclient.Options) *imapclient.Client {
	opts.TLS, opts.Timeout = id.Client, 20*time.Second
	c, err := imapclient.New(d.Addr, pec.Password(user, secret), &opts)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { c.Close() })
	return c
}

func startDovecot(t *testing.T, id testenv.Identity) dovecot {
	return dovecot{testenv.StartDovecot(t, id, secret), t}
}
