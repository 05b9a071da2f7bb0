package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/gopec/gopec/pec"
)

// config is the file that names providers and mailboxes. All workers of a fleet use the
// same. Unknown fields are ignored.
type config struct {
	Providers []providerConfig `json:"providers"`
	Accounts  []login          `json:"accounts"`
	CA        string           `json:"ca"`      // PEM file: the CA of the servers; "" means the system's roots
	Anchors   string           `json:"anchors"` // PEM file: the signing CAs or their keys; "" means the built-in ones
}

// providerConfig names the servers of one provider.
type providerConfig struct {
	Domain string `json:"domain"`
	SMTP   string `json:"smtp"` // host:port, with implicit TLS
	IMAP   string `json:"imap"` // the same
}

// login is one mailbox.
type login struct {
	Address     string `json:"address"`
	Login       string `json:"login"` // "" means the address
	Password    string `json:"password"`
	PasswordEnv string `json:"passwordEnv"` // the environment variable that holds the password, instead of Password
	Provider    string `json:"provider"`    // the domain of its provider; "" means the domain of the address
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
		return c, fmt.Errorf("%s: it names no accounts", file)
	}
	return c, nil
}

// provider returns the provider that runs a mailbox.
func (c *config) provider(l login) (providerConfig, error) {
	domain := l.Provider
	if domain == "" {
		_, domain, _ = strings.Cut(l.Address, "@")
	}
	for _, p := range c.Providers {
		if strings.EqualFold(p.Domain, domain) {
			return p, nil
		}
	}
	return providerConfig{}, fmt.Errorf("%s: no provider in the config has the domain %q", l.Address, domain)
}

// pec returns the login in the form that package pec uses.
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
