// Pecverify checks PEC messages: receipts, notices and envelopes, saved as .eml.
//
//	pecverify [-json] [-anchors FILE.pem] [-legacy] FILE...
//
// A FILE may be a folder, of which every .eml file is read, or - for standard
// input. With -json each message is one JSON object a line (receipt.Report).
// -anchors replaces the built-in trust anchors by the CA certificates or public
// keys of a PEM file; -legacy admits certificates of the time before 2017.
//
// The exit status is 0 when every message is verified, 1 when some is not, 2 for
// wrong usage or a file that cannot be read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

const (
	exitVerified    = 0
	exitNotVerified = 1
	exitTrouble     = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pecverify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: pecverify [-json] [-anchors FILE.pem] [-legacy] FILE...")
		flags.PrintDefaults()
	}
	asJSON := flags.Bool("json", false, "print one JSON object a line")
	anchorFile := flags.String("anchors", "", "trust the CA certificates or public keys in this PEM `file` instead of the built-in ones")
	legacy := flags.Bool("legacy", false, "admit certificates of the time before 2017")
	if err := flags.Parse(args); err != nil {
		return exitTrouble
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return exitTrouble
	}
	verifier, err := newVerifier(*anchorFile, *legacy)
	if err != nil {
		fmt.Fprintln(stderr, "pecverify:", err)
		return exitTrouble
	}
	printer := newPrinter(stdout, *asJSON)
	exit := exitVerified
	for _, arg := range flags.Args() {
		for file, err := range messages(arg) {
			var report receipt.Report
			if err == nil {
				report, err = verify(ctx, file, stdin, verifier)
			}
			if err == nil {
				err = printer.print(report)
			}
			switch {
			case err != nil:
				fmt.Fprintln(stderr, "pecverify:", err)
				exit = exitTrouble
			case !report.Verified && exit == exitVerified:
				exit = exitNotVerified
			}
		}
	}
	return exit
}

func newVerifier(anchorFile string, legacy bool) (*envelope.Verifier, error) {
	anchors := envelope.BuiltinAnchors()
	if anchorFile != "" {
		pem, err := os.ReadFile(anchorFile)
		if err != nil {
			return nil, err
		}
		if anchors, err = envelope.ParseAnchors(pem); err != nil {
			return nil, fmt.Errorf("%s: %w", anchorFile, err)
		}
	}
	return envelope.NewVerifier(anchors, &envelope.VerifierOptions{AllowLegacy: legacy})
}

// messages yields the files an argument stands for.
func messages(arg string) func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			yield(arg, nil) // opening it tells what is wrong with it
			return
		}
		found := false
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() || !strings.EqualFold(filepath.Ext(path), ".eml") {
				return nil
			}
			found = true
			if !yield(path, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err == nil && !found {
			err = fmt.Errorf("%s: no .eml file in this folder", arg)
		}
		if err != nil {
			yield(arg, err)
		}
	}
}

func verify(ctx context.Context, file string, stdin io.Reader, v *envelope.Verifier) (receipt.Report, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return receipt.Report{}, err
		}
		defer f.Close()
		r = f
	}
	m, err := envelope.Open(ctx, r, v)
	if err == nil {
		defer m.Close()
	}
	report, err := receipt.NewReport(file, m, err)
	if err != nil {
		return report, errors.Join(errors.New(file), err)
	}
	return report, nil
}
