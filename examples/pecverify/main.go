// Pecverify verifies PEC messages, which are receipts, notices and envelopes saved as .eml
// files, and dossiers of them (package dossier).
//
//	pecverify [-json] [-anchors FILE.pem] [-legacy] [-sent ORIGINAL.eml] FILE...
//
// A FILE may be a folder, whose .eml files are all read, or - for standard input. With -json
// each message is one JSON object on a line (receipt.Report). -anchors replaces the built-in
// trust anchors by the CA certificates or public keys in a PEM file. -legacy accepts
// certificates from before 2017. -sent compares the content of delivery receipts with the
// message that was sent.
//
// For a dossier the program prints each message in it, and then the dossier itself, as kind
// dossier: verified, or what was altered. A dossier has its own original, so -sent cannot be
// used with it.
//
// The exit status is 0 when every message is verified; 1 when some message is not, or has
// other content than was sent; 2 for wrong usage or a file that cannot be read.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopec/gopec/examples/internal/program"
)

const (
	exitVerified    = 0
	exitNotVerified = 1
	exitTrouble     = 2
)

func main() {
	ctx := program.Context()
	os.Exit(run(ctx, os.Args[1:], program.Reader(ctx, os.Stdin), os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := program.Flags("pecverify", "[-json] [-anchors FILE.pem] [-legacy] [-sent ORIGINAL.eml] FILE...")
	asJSON := flags.Bool("json", false, "print one JSON object a line")
	anchorFile := flags.String("anchors", "", "trust the CA certificates or public keys in this PEM `file` instead of the built-in ones")
	legacy := flags.Bool("legacy", false, "admit certificates of the time before 2017")
	sentFile := flags.String("sent", "", "compare what delivery receipts carry with the message in this `file`, as it was sent")
	if exit, goOn := program.ParseWithArguments(flags, args, stderr); !goOn {
		return exit
	}
	if flags.NArg() == 0 {
		return program.Fail(stderr, "pecverify", errors.New("a FILE to verify is required"))
	}
	judge, err := newJudge(*anchorFile, *legacy, *sentFile)
	if err != nil {
		return program.Fail(stderr, "pecverify", err)
	}
	defer judge.Close()
	exit := exitVerified
	files, err := messages(flags.Args())
	if err != nil {
		exit = program.Fail(stderr, "pecverify", err) // the other files are verified all the same
	}
	print := newPrinter(stdout, *asJSON, len(files))
	bar := newProgress(stderr, len(files))
	for i, file := range files {
		bar.show(i)
		verdicts, err := judge.file(ctx, file, stdin)
		bar.clear()
		for _, v := range verdicts {
			if printErr := print(v); printErr != nil {
				err = errors.Join(err, printErr)
			}
			if !v.good() && exit == exitVerified {
				exit = exitNotVerified
			}
		}
		if err != nil {
			exit = program.Fail(stderr, "pecverify", err)
		}
	}
	return exit
}

// messages returns the files that the arguments name: for a folder, every .eml file in it.
// Problems with a file itself are reported when it is opened.
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
			err = fmt.Errorf("%s: there is no .eml file in this folder", arg)
		}
		errs = append(errs, err)
	}
	return files, errors.Join(errs...)
}
