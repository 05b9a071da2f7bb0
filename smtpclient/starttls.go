package smtpclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"

	"github.com/gopec/gopec/pec"
)

// startTLS has the server go over to TLS (RFC 3207). All it hears in the clear may
// come from anybody: it is judged, given as the last reply where it decided, and
// then forgotten (RFC 3207, 4.2). Neither login nor message is told here.
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
			return newReply(code, answer), inTheClear(fmt.Errorf("%d instead of %d", code, step.consent))
		case r.Buffered()+said.rest() > 0:
			// What stands behind the consent would be taken for the server's first
			// words under TLS (CVE-2011-0411): whoever put it there is in between.
			return pec.Reply{}, inTheClear(fmt.Errorf("%d bytes behind a reply", r.Buffered()+said.rest()))
		case step.consent == 250 && !readOffer(answer).has("STARTTLS"):
			return pec.Reply{}, inTheClear(errors.New("STARTTLS is not offered"))
		}
	}
	return pec.Reply{}, nil
}

func inTheClear(err error) *Error {
	return &Error{Op: "STARTTLS", Reason: ReasonStartTLS, Err: err}
}
