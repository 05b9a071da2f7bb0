package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/pec"
)

// attempt is one dialogue with the server about one message.
type attempt struct {
	client  *Client
	ctx     context.Context
	message pec.Submission

	wire       *wire
	smtp       *smtp.Client
	recipients []pec.RecipientReply
}

// run goes through the dialogue until a step has decided the outcome.
func (a *attempt) run() pec.Outcome {
	if err := a.check(); err != nil {
		return pec.Outcome{Kind: pec.OutcomeRefused, Err: err}
	}
	conn, err := a.connect()
	if err != nil {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Err: failure(a.ctx, "connect", err, err)}
	}
	defer conn.Close()
	defer conn.Guard(a.ctx)()

	a.wire = &wire{Conn: conn, ctx: a.ctx}
	a.smtp = smtp.NewClient(a.wire)
	var o *pec.Outcome
	for _, step := range []func() *pec.Outcome{a.hello, a.auth, a.from, a.to, a.content} {
		if o = step(); o != nil {
			break
		}
	}
	o.Recipients = a.recipients
	return *o
}

// check looks at the message before anybody is dialled.
func (a *attempt) check() error {
	if err := checkAddresses(a.message); err != nil {
		return err
	}
	if a.message.Body == nil || a.message.Size <= 0 {
		return &Error{Op: "body", Reason: ReasonContent, Err: errors.New("no body")}
	}
	return nil
}

func (a *attempt) connect() (*netguard.Conn, error) {
	if err := a.ctx.Err(); err != nil {
		return nil, err
	}
	return netguard.Dial(a.ctx, a.client.addr, a.client.tls, a.client.options.Timeout)
}

// unsent turns an error before the final dot into the outcome; permanent is what
// a 5xx reply means at this step.
func (a *attempt) unsent(op string, err error, permanent pec.OutcomeKind) *pec.Outcome {
	reply, ok := refusal(err)
	if !ok {
		return &pec.Outcome{Kind: pec.OutcomeTemporary, Err: a.failure(op, err)}
	}
	o := &pec.Outcome{Kind: pec.OutcomeTemporary, Reply: reply}
	switch reply.Code / 100 {
	case 4:
	case 5:
		o.Kind = permanent
	default:
		o.Err = &Error{Op: op, Reason: ReasonProtocol, Err: err}
	}
	return o
}

func (a *attempt) hello() *pec.Outcome {
	if err := a.smtp.Hello(a.client.options.HelloName); err != nil {
		// Whatever the code, it is about the server and not about the message.
		return a.unsent("EHLO", err, pec.OutcomeTemporary)
	}
	// RFC 1870, 4: zero means that there is no fixed limit.
	if limit, ok := a.smtp.MaxMessageSize(); ok && limit > 0 && a.message.Size > int64(limit) {
		err := fmt.Errorf("%d bytes, the server takes %d", a.message.Size, limit)
		return a.given(pec.OutcomeRefused, &Error{Op: "EHLO", Reason: ReasonTooLarge, Err: err})
	}
	return nil
}

// given ends the dialogue for a reason of ours.
func (a *attempt) given(kind pec.OutcomeKind, err *Error) *pec.Outcome {
	o := &pec.Outcome{Kind: kind, Err: err}
	a.leave(o)
	return o
}

func (a *attempt) auth() *pec.Outcome {
	plain := a.smtp.SupportsAuth(sasl.Plain)
	if !plain && !a.smtp.SupportsAuth(sasl.Login) {
		err := errors.New("neither AUTH PLAIN nor AUTH LOGIN is offered")
		return a.given(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonMechanism, Err: err})
	}
	user := a.client.login.User
	secret, err := a.client.login.Secret(a.ctx)
	if err != nil {
		return a.given(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonSecret, Err: err})
	}
	mechanism := sasl.NewPlainClient("", user, secret)
	if !plain {
		mechanism = sasl.NewLoginClient(user, secret)
	}
	a.wire.login = true
	err = a.smtp.Auth(mechanism)
	a.wire.login = false
	if err == nil {
		return nil
	}
	o := a.unsent("AUTH", err, pec.OutcomeAuthentication)
	if o.Kind == pec.OutcomeAuthentication {
		o.Err = &pec.LoginError{Server: a.client.addr, Reply: o.Reply.String(), Err: err}
	}
	return o
}

func (a *attempt) from() *pec.Outcome {
	err := a.smtp.Mail(a.message.From, &smtp.MailOptions{Size: a.message.Size})
	if err == nil {
		return nil
	}
	o := a.unsent("MAIL", err, pec.OutcomeRefused)
	a.leave(o)
	return o
}

// to offers every recipient, so that the outcome names all that are refused. One
// is enough to stop: the recipients of the envelope must be those of To and Cc
// (RFC 6109, 3.1.1).
func (a *attempt) to() *pec.Outcome {
	var decided *pec.Outcome
	for _, address := range a.message.To {
		err := a.smtp.Rcpt(address, nil)
		if err == nil {
			a.recipients = append(a.recipients, pec.RecipientReply{Address: address, Reply: a.wire.reply()})
			continue
		}
		o := a.unsent("RCPT", err, pec.OutcomeRefused)
		if o.Reply.Code != 0 {
			a.recipients = append(a.recipients, pec.RecipientReply{Address: address, Reply: o.Reply})
		}
		if o.Err != nil {
			return o
		}
		if decided == nil || (o.Kind == pec.OutcomeRefused && decided.Kind != pec.OutcomeRefused) {
			decided = o
		}
	}
	if decided != nil {
		a.wire.Expect(a.farewell())
		_ = a.smtp.Reset()
		a.leave(decided)
	}
	return decided
}

// content sends the body and the final dot.
func (a *attempt) content() *pec.Outcome {
	data, err := a.smtp.Data()
	if err != nil {
		o := a.unsent("DATA", err, pec.OutcomeRefused)
		a.leave(o)
		return o
	}
	// From here on no other command may go through the library: before any
	// command it would end an unfinished body with a dot.
	a.wire.holding = true
	src := &body{ctx: a.ctx, src: a.message.Body, size: a.message.Size}
	if _, err := io.Copy(data, src); err != nil {
		return a.stopped(src, err)
	}
	a.wire.whole = true
	a.wire.Expect(a.client.options.SubmitTimeout)
	_, err = data.CloseWithResponse()
	if !a.wire.dotLeft {
		return a.stopped(src, err)
	}
	a.wire.holding = false
	o := a.answered(err)
	a.leave(o)
	return o
}

// stopped gives the outcome of a body that came to no final dot.
func (a *attempt) stopped(src *body, err error) *pec.Outcome {
	if src.err != nil && src.err.Reason == ReasonContent {
		return &pec.Outcome{Kind: pec.OutcomeRefused, Err: src.err}
	}
	if err == nil {
		err = &Error{Op: "body", Reason: ReasonProtocol, Err: errors.New("success before the end of the message")}
	}
	o := a.unsent("body", err, pec.OutcomeRefused)
	if src.err != nil || a.wire.Failure() == nil || a.ctx.Err() != nil {
		return o
	}
	// A server that refuses a message halfway, for its size or a virus, says so
	// before it hangs up; then offering the same bytes again is of no use.
	a.wire.Expect(a.farewell())
	if reply := readReply(a.wire.Conn); reply.Code/100 == 4 || reply.Code/100 == 5 {
		o.Reply = reply
		if reply.Code/100 == 5 {
			o.Kind = pec.OutcomeRefused
		}
	}
	return o
}

// answered gives the outcome once the final dot may have left. Only a complete
// reply of a class that says what became of the message ends the uncertainty.
func (a *attempt) answered(err error) *pec.Outcome {
	reply, _ := refusal(err)
	if err == nil {
		reply = a.wire.reply()
	}
	switch reply.Code / 100 {
	case 2:
		return &pec.Outcome{Kind: pec.OutcomeSubmitted, Reply: reply}
	case 4:
		return &pec.Outcome{Kind: pec.OutcomeTemporary, Reply: reply}
	case 5:
		return &pec.Outcome{Kind: pec.OutcomeRefused, Reply: reply}
	}
	if err == nil {
		err = errors.New("a reply that began before the end of the message")
	}
	return &pec.Outcome{Kind: pec.OutcomeUncertain, Reply: reply, Err: a.failure("dot", err)}
}

func (a *attempt) failure(op string, err error) *Error {
	return failure(a.ctx, op, err, a.wire.Failure())
}

// leave says goodbye, if there is still somebody to say it to. The outcome is
// known: nothing that happens here counts.
func (a *attempt) leave(o *pec.Outcome) {
	if a.wire.Failure() != nil || o.Reply.Code/100 == 3 {
		return
	}
	a.wire.Expect(a.farewell())
	if _, err := a.wire.Write([]byte("QUIT\r\n")); err == nil {
		readReply(a.wire)
	}
}

// farewell bounds each silence after the outcome is known.
func (a *attempt) farewell() time.Duration {
	return min(a.client.options.Timeout, 5*time.Second)
}
