package netguard

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// TLSConfig gives the settings for implicit TLS with the server at addr
// (host:port): a clone of base, or the system's roots when base is nil. The
// server name comes from addr unless base names one, and versions before TLS 1.2
// are off (RFC 8997, 3). A base that skips verification is refused: the
// password would go to anybody.
func TLSConfig(addr string, base *tls.Config) (*tls.Config, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
		return nil, fmt.Errorf("address %q: host and port number are required", addr)
	}
	config := &tls.Config{}
	if base != nil {
		config = base.Clone()
	}
	if config.InsecureSkipVerify {
		return nil, errors.New("TLS settings with InsecureSkipVerify are refused")
	}
	if config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS12 {
		return nil, errors.New("TLS settings without TLS 1.2 or later are refused")
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config, nil
}
