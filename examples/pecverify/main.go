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
	exit := exitVerified
	files, err := messages(flags.Args())
	if err != nil {
		fmt.Fprintln(stderr, "pecverify:", err)
		exit = exitTrouble // and what was found is verified all the same
	}
	print := newPrinter(stdout, *asJSON, len(files))
	bar := newProgress(stderr, len(files))
	for i, file := range files {
		bar.show(i)
		report, err := verify(ctx, file, stdin, verifier)
		bar.clear()
		if err == nil {
			err = print(report)
		}
		switch {
		case err != nil:
			fmt.Fprintln(stderr, "pecverify:", err)
			exit = exitTrouble
		case !report.Verified && exit == exitVerified:
			exit = exitNotVerified
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

// messages gives the files the arguments stand for: a folder, every .eml file in
// it. What is wrong with a file itself is told when it is opened.
func messages(args []string) ([]string, error) {
	var files []string
	var errs []error
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			files = append(files, arg)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && strings.EqualFold(filepath.Ext(path), ".eml") {
				files = append(files, path)
			}
			return err
		})
		if err == nil && len(files) == before {
			err = fmt.Errorf("%s: no .eml file in this folder", arg)
		}
		errs = append(errs, err)
	}
	return files, errors.Join(errs...)
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
		return report, fmt.Errorf("%s: %w", file, err)
	}
	return report, nil
}
