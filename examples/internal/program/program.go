// Package program has what the main functions of the examples share: signals, flags, and
// errors in one line.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
)

// Context returns a context that ends at the first SIGINT (Ctrl-C) or SIGTERM (service
// managers). A second signal ends the process at once.
func Context() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Flags makes a set of flags for Parse. The usage line is the program's name followed by
// usage.
func Flags(name, usage string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {
		fmt.Fprintf(set.Output(), "usage: %s %s\n", name, usage)
		set.PrintDefaults()
	}
	return set
}

// Parse reads the flags of a program that takes no other arguments. When goOn is false it
// has printed the usage or an error, and the program must end with the exit status: 0 after
// -help, 2 after wrong usage.
func Parse(set *flag.FlagSet, args []string, stderr io.Writer) (exit int, goOn bool) {
	exit, goOn = ParseWithArguments(set, args, stderr)
	if goOn && set.NArg() > 0 {
		return Fail(stderr, set.Name(), fmt.Errorf("%q is not a flag", set.Arg(0))), false
	}
	return exit, goOn
}

// ParseWithArguments is Parse for a program that takes arguments after its flags.
func ParseWithArguments(set *flag.FlagSet, args []string, stderr io.Writer) (exit int, goOn bool) {
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		set.SetOutput(stderr)
		set.Usage()
		return 0, false
	case err != nil:
		return Fail(stderr, set.Name(), err), false
	}
	return 0, true
}

// Fail prints an error in one line, without control characters, and returns the exit
// status 2.
func Fail(stderr io.Writer, name string, err error) (exit int) {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
	fmt.Fprintf(stderr, "%s: %s\n", name, text)
	return 2
}
