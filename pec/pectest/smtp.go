package pectest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// MaxMessageBytes is the size limit that submission announces and enforces: 30 MiB. The
// Italian rules require at least 30 MB (RFC 6109, 3.1.1).
const MaxMessageBytes = 30 << 20

// MaxRecipients is the most recipients that submission accepts for one message, as at the
// largest provider.
const MaxRecipients = 500

func (p *Provider) listenSMTP() error {
	config, err := p.network.tls.config(p.domain)
	if err != nil {
		return err
	}
	if p.smtp, err = p.newListener("smtp."+p.domain+":465", SMTP, config); err != nil {
		return err
	}
	if p.starttls, err = p.newListener("smtp."+p.domain+":587", SMTP, nil); err != nil {
		return err
	}
	// The first server does not see TLS, which the listener handles. The second offers
	// STARTTLS itself.
	p.serveSMTP(p.smtp, func(s *smtp.Server) { s.AllowInsecureAuth = true })
	p.serveSMTP(p.starttls, func(s *smtp.Server) { s.TLSConfig = config })
	return nil
}

func (p *Provider) serveSMTP(l *listener, configure func(*smtp.Server)) {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &smtpSession{provider: p, conn: c}, nil
	}))
	server.Domain = "smtp." + p.domain
	server.MaxMessageBytes = MaxMessageBytes
	server.MaxRecipients = MaxRecipients
	server.ErrorLog = p.libraryLog()
	configure(server)
	p.serve("smtp", func() error {
		err := server.Serve(l)
		// All connections are cut by now, and this waits for their goroutines. The only
		// error is that the port is closed.
		_ = server.Shutdown(context.Background())
		return err
	})
}

// submission is a message as the access point received it.
type submission struct {
	from     string   // MAIL FROM, unchanged
	to       []string // RCPT TO, unchanged, without repetitions
	raw      []byte
	received Field // the Received field of this reception
}

// smtpSession is one connection to the access point.
type smtpSession struct {
	provider *Provider
	conn     *smtp.Conn
	mailbox  *mailbox // nil before AUTH
	from     string
	to       []string

	mu     sync.Mutex // Logout may come from another goroutine
	queued func()     // hands the accepted message to the queue
}

func (s *smtpSession) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

func (s *smtpSession) Auth(mechanism string) (sasl.Server, error) {
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(identity, username, password string) error {
			if identity != "" && identity != username {
				return smtp.ErrAuthFailed
			}
			return s.login(username, password)
		}), nil
	case sasl.Login:
		return &loginServer{authenticate: s.login}, nil
	default:
		return nil, smtp.ErrAuthUnknownMechanism
	}
}

func (s *smtpSession) login(username, password string) error {
	m, v := s.provider.authenticate(username, password)
	if m == nil {
		return v.smtp()
	}
	s.mailbox = m
	if w, ok := s.conn.Conn().(*wire); ok {
		w.owned(m)
	}
	return nil
}

func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.mailbox == nil {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	if !strings.EqualFold(from, s.mailbox.account.Address) {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1},
			Message: fmt.Sprintf("<%s>: Sender address rejected: not owned by user %s", from, s.mailbox.account.Login)}
	}
	if err := s.provider.throttle(s.mailbox); err != nil {
		return err
	}
	s.from = from
	return nil
}

func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !containsFold(s.to, to) {
		s.to = append(s.to, to)
	}
	return nil
}

func (s *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // smtp.ErrDataTooLarge is itself the answer
	}
	if w, ok := s.conn.Conn().(*wire); ok && w.lost() {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later"}
	}
	id := queueID()
	sub := submission{from: s.from, to: s.to, raw: toCRLF(raw)}
	sub.received = s.provider.trace(s.conn.Hostname(), hostOf(s.conn.Conn().RemoteAddr()), id)
	if s.provider.opts.RefuseAtSMTP {
		if refused := s.provider.inspect(sub); refused != nil {
			return refused.smtp
		}
	}
	hand := s.provider.network.queue.reserve()
	s.provider.saveSent(s.mailbox, sub.raw)
	s.mu.Lock()
	s.queued = func() { hand(func() { s.provider.access(sub) }) }
	s.mu.Unlock()
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "Ok: queued as " + id}
}

// saveSent keeps a copy, as some providers do, unless the mailbox is full.
func (p *Provider) saveSent(m *mailbox, raw []byte) {
	if !p.opts.SaveSent {
		return
	}
	if err := m.deliver(p.opts.Sent, raw, p.network.now()); err != nil {
		p.network.log.Warn("sent copy not kept", "provider", p.domain, "error", err)
	}
}

// Reset is called by the server once the reply to DATA is written. Only then is the message
// processed, as at a real provider.
func (s *smtpSession) Reset() {
	s.flush()
	s.from, s.to = "", nil
}

func (s *smtpSession) Logout() error {
	s.flush()
	return nil
}

func (s *smtpSession) flush() {
	s.mu.Lock()
	queued := s.queued
	s.queued = nil
	s.mu.Unlock()
	if queued != nil {
		queued()
	}
}

func hostOf(addr net.Addr) string {
	host, _, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	return host
}

func containsFold(list []string, s string) bool {
	for _, have := range list {
		if strings.EqualFold(have, s) {
			return true
		}
	}
	return false
}

// toCRLF turns bare LF line ends into CRLF, as mail servers do, because a signature is over
// the CRLF form.
func toCRLF(raw []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(raw))
	for line := range bytes.Lines(raw) {
		body, ended := bytes.CutSuffix(line, []byte("\n"))
		if !ended {
			out.Write(line)
			break
		}
		out.Write(bytes.TrimSuffix(body, []byte("\r")))
		out.WriteString("\r\n")
	}
	return out.Bytes()
}
