package pectest

import "github.com/emersion/go-sasl"

// loginServer is the server side of SASL LOGIN, which older mail programs use.
type loginServer struct {
	authenticate func(username, password string) error
	username     string
	step         int
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if l.step == 0 && response == nil {
		return []byte("Username:"), false, nil
	}
	l.step++
	switch l.step {
	case 1:
		l.username = string(response)
		return []byte("Password:"), false, nil
	case 2:
		err := l.authenticate(l.username, string(response))
		return nil, err == nil, err
	default:
		return nil, false, sasl.ErrUnexpectedClientResponse
	}
}
