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
	release    func() // takes the session out of ctx's reach
	recipients []pec.RecipientReply
}

// run goes through the dialogue until a step has decided the outcome.
func (a *attempt) run() pec.Outcome {
	defer a.drop() // a body that panics leaves a session behind
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

// begin has the server take the sender. A kept session that turns out to have ended
// is replaced, once: no recipient and no byte of the message has left by then.
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

// outlived tells whether a kept session is to blame for an outcome at MAIL FROM: it
// broke, the server is closing it, or has forgotten what went before (RFC 5321,
// 4.2.2: 421, 503; RFC 4954, 6: 530).
func (a *attempt) outlived(o *pec.Outcome) bool {
	switch o.Reply.Code {
	case 421, 503, 530:
		return true
	}
	return a.wire.Failure() != nil && a.ctx.Err() == nil
}

// open makes a new session. Its failure leaves none behind.
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

// hold puts a session under the context and the server under the clock.
func (a *attempt) hold(s *session) {
	a.session = s
	a.wire.begin(a.ctx)
	a.wire.Expect(a.client.options.Timeout)
	a.release = a.wire.Guard(a.ctx)
}

// drop ends the session, if there is one.
func (a *attempt) drop() {
	if a.session == nil {
		return
	}
	a.release()
	a.client.discard(a.session)
	a.session = nil
}

// finish keeps the session after a success that leaves nothing over, and ends it
// after all else.
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

// leave says goodbye, unless a command would be taken for a part of the message, or
// nobody listens.
func (a *attempt) leave(o *pec.Outcome) {
	if !a.wire.holding && o.Reply.Code/100 != 3 && o.Reply.Code != 421 {
		a.quit()
	}
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
		// Whatever the code, it is about the server and not about the message.
		return a.unsent("EHLO", err, pec.OutcomeTemporary)
	}
	a.offer = readOffer(a.wire.text())
	return nil
}

// given ends the dialogue for a reason of ours.
func (a *attempt) given(kind pec.OutcomeKind, err *Error) *pec.Outcome {
	o := &pec.Outcome{Kind: kind, Err: err}
	a.leave(o)
	return o
}

func (a *attempt) from() *pec.Outcome {
	if limit := a.offer.size; limit > 0 && a.message.Size > limit {
		err := fmt.Errorf("%d bytes, the server takes %d", a.message.Size, limit)
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
	// command it would end an unfinished body with a dot.
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
	// A server that refuses a message halfway says so before it hangs up.
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
// 3463, 3.3, 3.4, 3.7 and 3.8). Offering the same bytes again is then of no use. Any
// other 5xx may be a complaint about the connection, which broke: a server that saw the
// end of the stream too early answers 554 as well.
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
