package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/gopec/gopec/pec"
)

// attempt is one dialogue with the server about one message.
type attempt struct {
	client  *Client
	ctx     context.Context
	message pec.Submission

	*session
	release    func() // after it, the end of ctx no longer closes the session
	recipients []pec.RecipientReply
}

// run goes through the dialogue until a step decides the outcome.
func (a *attempt) run() pec.Outcome {
	defer a.drop() // a body whose Read panics would leave the session open
	o := a.begin()
	for _, step := range []func() *pec.Outcome{a.to, a.content} {
		if o == nil {
			o = step()
		}
	}
	a.finish(o)
	o.Recipients = a.recipients
	return *o
}

// begin sends MAIL FROM, over the kept session if there is one. A kept session that
// turns out to be dead is replaced once: no recipient and no byte of the message has
// been sent by then.
func (a *attempt) begin() *pec.Outcome {
	if s := a.client.take(); s != nil {
		a.hold(s)
		a.wire.Expect(min(a.client.options.Timeout, reuseTimeout))
		o := a.from()
		if o == nil || !a.outlived(o) {
			return o
		}
		a.drop()
	}
	if o := a.open(); o != nil {
		return o
	}
	return a.from()
}

// outlived reports whether an outcome at MAIL FROM is the fault of the kept session:
// the connection broke, or the server is closing it or has forgotten the commands
// before (RFC 5321, 4.2.2: 421, 503; RFC 4954, 6: 530).
func (a *attempt) outlived(o *pec.Outcome) bool {
	switch o.Reply.Code {
	case 421, 503, 530:
		return true
	}
	return a.wire.Failure() != nil && a.ctx.Err() == nil
}

// open makes a new session, up to the login. When it fails, no session is left open.
func (a *attempt) open() *pec.Outcome {
	s, reply, err := a.client.dial(a.ctx)
	if err != nil {
		return &pec.Outcome{Kind: pec.OutcomeTemporary, Reply: reply, Err: failure(a.ctx, "connect", err, err)}
	}
	a.hold(s)
	o := a.hello()
	if o == nil {
		o = a.auth()
	}
	if o != nil {
		a.drop()
	}
	return o
}

// hold makes s the session of the attempt: the end of the context closes it, and the
// server must answer in time.
func (a *attempt) hold(s *session) {
	a.session = s
	a.wire.begin(a.ctx)
	a.wire.Expect(a.client.options.Timeout)
	a.release = a.wire.Guard(a.ctx)
}

// drop closes the session, if there is one.
func (a *attempt) drop() {
	if a.session == nil {
		return
	}
	a.release()
	a.client.discard(a.session)
	a.session = nil
}

// finish keeps the session after a success with no bytes left to read, and ends it
// otherwise.
func (a *attempt) finish(o *pec.Outcome) {
	if a.session == nil {
		return
	}
	if o.Kind == pec.OutcomeSubmitted && a.client.options.IdleTimeout > 0 && a.wire.alone() && a.wire.Failure() == nil {
		a.release()
		if a.ctx.Err() == nil {
			a.client.keep(a.session)
			a.session = nil
			return
		}
	}
	a.leave(o)
	a.drop()
}

// leave sends QUIT, unless the server would read it as part of the message, or has
// said that it is closing the connection.
func (a *attempt) leave(o *pec.Outcome) {
	if !a.wire.holding && o.Reply.Code/100 != 3 && o.Reply.Code != 421 {
		a.quit()
	}
}

// unsent returns the outcome of an error before the final dot. permanent is what a 5xx
// reply means at this step.
func (a *attempt) unsent(op string, err error, permanent pec.OutcomeKind) *pec.Outcome {
	reply, ok := refusal(err)
	if !ok {
		return &pec.Outcome{Kind: pec.OutcomeTemporary, Err: a.failure(op, err)}
	}
	o := &pec.Outcome{Kind: pec.OutcomeTemporary, Reply: reply}
	switch reply.Code / 100 {
	case 4:
	case 5:
		if !throttled(a.client.options.Throttles, op, reply) {
			o.Kind = permanent
		}
	default:
		o.Err = &Error{Op: op, Reason: ReasonProtocol, Err: err}
	}
	return o
}

func (a *attempt) hello() *pec.Outcome {
	if err := a.smtp.Hello(a.client.options.HelloName); err != nil {
		// Whatever its code, this reply is not about the message.
		return a.unsent("EHLO", err, pec.OutcomeTemporary)
	}
	a.offer = readOffer(a.wire.text())
	return nil
}

// abandon ends the dialogue for a reason on our side.
func (a *attempt) abandon(kind pec.OutcomeKind, err *Error) *pec.Outcome {
	o := &pec.Outcome{Kind: kind, Err: err}
	a.leave(o)
	return o
}

func (a *attempt) from() *pec.Outcome {
	if limit := a.offer.size; limit > 0 && a.message.Size > limit {
		err := fmt.Errorf("the message has %d bytes, the server takes at most %d", a.message.Size, limit)
		return &pec.Outcome{Kind: pec.OutcomeRefused, Err: &Error{Op: "MAIL", Reason: ReasonTooLarge, Err: err}}
	}
	err := a.smtp.Mail(a.message.From, &smtp.MailOptions{Size: a.message.Size})
	a.client.pace.count()
	if err != nil {
		return a.unsent("MAIL", err, pec.OutcomeRefused)
	}
	a.wire.Expect(a.client.options.Timeout)
	return nil
}

// to sends RCPT for every recipient, so that the outcome names all that are refused.
// One refusal aborts the message: the recipients of the envelope must be those of To
// and Cc (RFC 6109, 3.1.1).
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
		a.wire.Expect(a.farewell)
		_ = a.smtp.Reset()
	}
	return decided
}

// content sends the body and the final dot.
func (a *attempt) content() *pec.Outcome {
	data, err := a.smtp.Data()
	if err != nil {
		return a.unsent("DATA", err, pec.OutcomeRefused)
	}
	// From here on no other command may go through the library: before any
	// command, it ends an unfinished body with a dot.
	a.wire.holding = true
	src := &body{ctx: a.ctx, src: a.message.Body, size: a.message.Size}
	if _, err := io.CopyBuffer(data, src, a.copied[:]); err != nil {
		return a.stopped(src, err)
	}
	a.wire.whole = true
	a.wire.Expect(a.client.options.SubmitTimeout)
	_, err = data.CloseWithResponse()
	if !a.wire.dotLeft {
		return a.stopped(src, err)
	}
	a.wire.holding = false
	return a.answered(err)
}

// stopped returns the outcome of a message that stopped before its final dot.
func (a *attempt) stopped(src *body, err error) *pec.Outcome {
	if src.err != nil && src.err.Reason == ReasonContent {
		return &pec.Outcome{Kind: pec.OutcomeRefused, Err: src.err}
	}
	if err == nil {
		err = &Error{Op: "body", Reason: ReasonProtocol, Err: errors.New("the server reported success before the end of the message")}
	}
	o := a.unsent("body", err, pec.OutcomeRefused)
	if src.err != nil || a.wire.Failure() == nil || a.ctx.Err() != nil {
		return o
	}
	// A server that refuses a message halfway sends its reply before it hangs up.
	a.wire.Again()
	a.wire.Expect(a.farewell)
	if reply := readReply(&a.wire.said); reply.Code/100 == 4 || reply.Code/100 == 5 {
		o.Reply = reply
		if refusesMessage(reply) {
			o.Kind = pec.OutcomeRefused
		}
	}
	return o
}

// refusesMessage reports whether a 5xx reply before the end of the message is about the
// message: its size, its content, or a rule that it breaks (RFC 5321, 4.2.2: 552; RFC
// 3463, 3.3, 3.4, 3.7 and 3.8). Sending the same bytes again is then useless. Any other
// 5xx may be about the broken connection: a server that sees the stream end too early
// also answers 554.
func refusesMessage(r pec.Reply) bool {
	if r.Code/100 != 5 {
		return false
	}
	for _, about := range []string{"5.2.", "5.3.4", "5.6.", "5.7."} {
		if strings.HasPrefix(r.Enhanced, about) {
			return true
		}
	}
	return r.Code == 552
}

// answered returns the outcome once the final dot may have left. It is uncertain
// unless a complete 2xx, 4xx or 5xx reply says what became of the message.
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
		err = errors.New("the reply began before the end of the message")
	}
	return &pec.Outcome{Kind: pec.OutcomeUncertain, Reply: reply, Err: a.failure("dot", err)}
}

func (a *attempt) failure(op string, err error) *Error {
	return failure(a.ctx, op, err, a.wire.Failure())
}
