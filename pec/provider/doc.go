// Package provider knows the PEC providers (gestori): their servers, their limits and
// their habits. Its Connect assembles what a program needs to send and to read.
//
//	preset, ok := provider.For("mario@pec.it") // or provider.Named("aruba")
//	conn, err := preset.Connect(pec.Password(user, password), nil)
//	defer conn.Close()
//	client, err := conn.NewClient("mario@pec.it", &pec.Options{Store: store})
//
// A Preset is a plain struct: copy one and change what differs for your mailbox, or write
// your own. For finds a preset only for the providers' own domains. A mailbox on a
// company's own domain needs Named, or the server names from its provider.
//
// Connect uses implicit TLS (RFC 8314, 3.3), which all known providers offer. For anything
// else, such as STARTTLS or other timeouts, call the constructors of packages smtpclient,
// imapclient and pec yourself.
//
// The facts come from the providers' pages and from use, and some of them are uncertain:
// the comments in table.go say which. A login that a provider refuses too often can lock the
// mailbox, so check an uncertain preset with the provider first.
package provider
