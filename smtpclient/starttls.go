package smtpclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"

	"github.com/gopec/gopec/pec"
)

// startTLS asks the server to switch to TLS (RFC 3207). Anybody may have written what
// arrives in the clear, so it is forgotten afterwards (RFC 3207, 4.2). The reply is not
// zero if it is the cause of the error. Neither login nor message is sent here.
func startTLS(conn io.ReadWriter, hello string) (pec.Reply, error) {
	said := &lines{src: conn}
	r := bufio.NewReader(said)
	text := textproto.NewReader(r)
	for _, step := range []struct {
		command string
		consent int
	}{{"", 220}, {"EHLO " + hello + "\r\n", 250}, {"STARTTLS\r\n", 220}} {
		if _, err := io.WriteString(conn, step.command); err != nil {
			return pec.Reply{}, err
		}
		code, answer, err := text.ReadResponse(0)
		var malformed textproto.ProtocolError
		switch {
		case errors.As(err, &malformed):
			return pec.Reply{}, inTheClear(err)
		case err != nil:
			return pec.Reply{}, err
		case code != step.consent:
			return newReply(code, answer), inTheClear(fmt.Errorf("the server answered %d instead of %d", code, step.consent))
		case r.Buffered()+said.rest() > 0:
			// Bytes after the consent would be taken for the server's first words under
			// TLS: somebody between us and the server may have put them there
			// (CVE-2011-0411).
			return pec.Reply{}, inTheClear(fmt.Errorf("%d bytes follow a reply in the clear: somebody may have injected them", r.Buffered()+said.rest()))
		case step.consent == 250 && !readOffer(answer).has("STARTTLS"):
			return pec.Reply{}, inTheClear(errors.New("the server does not offer STARTTLS"))
		}
	}
	return pec.Reply{}, nil
}

func inTheClear(err error) *Error {
	return &Error{Op: "STARTTLS", Reason: ReasonStartTLS, Err: err}
}
