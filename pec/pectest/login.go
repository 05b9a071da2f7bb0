package pectest

import (
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-smtp"
)

// loginState decides whether a login is accepted. The mailbox's lock guards it.
type loginState struct {
	password string
	set      time.Time // when the password was set; zero at the network's start
	row      int       // refused logins in a row
	refused  int       // refused logins in all
}

// verdict is the answer to a login.
type verdict int

const (
	loginGood verdict = iota
	loginWrong
	loginExpired
	loginLocked
)

func (p *Provider) authenticate(username, password string) (*mailbox, verdict) {
	m := p.login(username)
	if m == nil {
		return nil, loginWrong
	}
	now := p.network.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.login.set.IsZero() {
		m.login.set = p.network.began
	}
	v := loginGood
	switch {
	case p.opts.LockAfter > 0 && m.login.row >= p.opts.LockAfter:
		v = loginLocked
	case subtle.ConstantTimeCompare([]byte(m.login.password), []byte(password)) != 1:
		v = loginWrong
		m.login.row++
	case p.opts.PasswordLife > 0 && !now.Before(m.login.set.Add(p.opts.PasswordLife)):
		v = loginExpired
	}
	if v != loginGood {
		m.login.refused++
		return nil, v
	}
	m.login.row = 0
	return m, v
}

// smtp returns the answer to AUTH; nil when the login is accepted.
func (v verdict) smtp() error {
	text := map[verdict]string{loginWrong: "Authentication failed", loginExpired: "Password expired", loginLocked: "Account locked"}[v]
	if text == "" {
		return nil
	}
	return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: text}
}

// imap returns the answer to LOGIN, with the codes of RFC 5530; nil when the login is
// accepted.
func (v verdict) imap() error {
	switch v {
	case loginGood:
		return nil
	case loginExpired:
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeExpired, Text: "Password expired"}
	case loginLocked:
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeContactAdmin, Text: "Account locked"}
	default:
		return imapserver.ErrAuthFailed
	}
}

// SetPassword sets a new password, valid for another PasswordLife, and unlocks the account.
// It returns an error for an unknown address.
func (p *Provider) SetPassword(address, password string) error {
	m := p.mailbox(address)
	if m == nil {
		return fmt.Errorf("pectest: %s has no mailbox %s", p.domain, address)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.login.password, m.login.set, m.login.row = password, p.network.now(), 0
	return nil
}

// RefusedLogins returns the number of refused logins of an account so far, by SMTP and
// IMAP, for any reason; zero for an unknown address.
func (p *Provider) RefusedLogins(address string) int {
	m := p.mailbox(address)
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.login.refused
}

// throttle counts a submission. It returns an error when MaxPerMinute is exceeded.
func (p *Provider) throttle(m *mailbox) error {
	if p.opts.MaxPerMinute == 0 {
		return nil
	}
	now := p.network.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.sent) > 0 && !m.sent[0].After(now.Add(-time.Minute)) {
		m.sent = m.sent[1:]
	}
	if len(m.sent) >= p.opts.MaxPerMinute {
		// The reply of Legalmail, a large provider.
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.NoEnhancedCode,
			Message: fmt.Sprintf("MAIL from: %q blocked \"Class Of Service\" - Too much traffic from this sender", m.account.Address)}
	}
	m.sent = append(m.sent, now)
	return nil
}
