package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/gopec/gopec/pec"
)

// config is the file that names providers and mailboxes. All workers of a fleet have
// the same. Fields that it does not know are passed over.
type config struct {
	Providers []provider `json:"providers"`
	Accounts  []login    `json:"accounts"`
	CA        string     `json:"ca"`      // PEM file: who vouches for the servers; "" means the roots of the system
	Anchors   string     `json:"anchors"` // PEM file: the signing CAs or their keys; "" means the built-in ones
}

type provider struct {
	Domain string `json:"domain"`
	SMTP   string `json:"smtp"` // host:port, TLS from the first byte
	IMAP   string `json:"imap"` // the same
}

// login is one mailbox.
type login struct {
	Address     string `json:"address"`
	Login       string `json:"login"`       // "" means the address
	Password    string `json:"password"`    // or
	PasswordEnv string `json:"passwordEnv"` // the environment variable that holds it
	Provider    string `json:"provider"`    // the domain of its provider; "" means that of the address
}

func readConfig(file string) (c config, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	if len(c.Accounts) == 0 {
		return c, fmt.Errorf("%s: no accounts", file)
	}
	return c, nil
}

// provider gives the one that runs a mailbox.
func (c *config) provider(l login) (provider, error) {
	domain := l.Provider
	if domain == "" {
		_, domain, _ = strings.Cut(l.Address, "@")
	}
	for _, p := range c.Providers {
		if strings.EqualFold(p.Domain, domain) {
			return p, nil
		}
	}
	return provider{}, fmt.Errorf("%s: no provider has the domain %q", l.Address, domain)
}

// pec gives the login as the clients take it.
func (l login) pec() (pec.Login, error) {
	user, password := l.Login, l.Password
	if user == "" {
		user = l.Address
	}
	if l.PasswordEnv != "" {
		var ok bool
		if password, ok = os.LookupEnv(l.PasswordEnv); !ok {
			return pec.Login{}, fmt.Errorf("the environment variable %s, which should hold the password of %s, is not set", l.PasswordEnv, l.Address)
		}
	}
	return pec.Password(user, password), nil
}
