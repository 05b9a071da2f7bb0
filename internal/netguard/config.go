package netguard

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// TLSConfig returns the configuration of TLS for the server at addr (host:port): a clone
// of base, or one that trusts the system's root certificates if base is nil. The server
// name comes from addr unless base names one. Versions before TLS 1.2 are off (RFC 8997,
// 3). A base with InsecureSkipVerify is refused: the password would go to anybody.
func TLSConfig(addr string, base *tls.Config) (*tls.Config, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
		return nil, fmt.Errorf("address %q: a host and a port from 1 to 65535 are required", addr)
	}
	config := &tls.Config{}
	if base != nil {
		config = base.Clone()
	}
	if config.InsecureSkipVerify {
		return nil, errors.New("a TLS configuration with InsecureSkipVerify is refused: set RootCAs to trust a private server")
	}
	if config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS12 {
		return nil, errors.New("a TLS configuration must allow TLS 1.2 or later: raise MaxVersion")
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config, nil
}
