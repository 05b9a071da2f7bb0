// Command bench runs the benchmarks and keeps the table of figures in its README.md:
//
//	go run ./internal/bench          measures, and replaces the table
//	go run ./internal/bench -check   measures for a shorter time, and fails if a multiple
//	                                 of the floor is more than twice that in the table
//
// A multiple of a floor that was measured in the same run holds on any machine; a time does
// not. The benchmarks need Dovecot, Postfix and PostgreSQL.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const readme = "internal/bench/README.md"

// suites are the benchmarks in the table. Each has a package and a pattern, and how often and
// how long it runs: full is for the table, short for -check.
var suites = []struct {
	dir, pattern string
	full, short  effort
}{
	{"./receipt", "^BenchmarkOpen", effort{3, "500ms"}, effort{3, "100ms"}},
	{"./imapclient", "^BenchmarkSync$", effort{2, "2x"}, effort{1, "1x"}},
	{"./pec/sqlstore", "^BenchmarkAppend$", effort{3, "200x"}, effort{1, "50x"}},
	{"./pec/sqlstore", "^BenchmarkGrowth$", effort{1, "3x"}, effort{1, "1x"}},
	{"./smtpclient", "^BenchmarkSend$", effort{3, "500x"}, effort{1, "200x"}},
}

// effort is how often and how long a benchmark runs.
type effort struct {
	count    int    // for -count
	duration string // for -benchtime
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	check := flag.Bool("check", false, "measure for a shorter time and compare with the table")
	flag.Parse()
	if err := run(*check); err != nil {
		log.Fatal(err)
	}
}

func run(check bool) error {
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	results, err := measure(check)
	if err != nil {
		return err
	}
	if check {
		return compare(parseTable(string(text)), results)
	}
	updated, err := replaceTable(string(text), results)
	if err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(updated), 0o644)
}

// measure runs all suites and returns the median of each figure.
func measure(check bool) ([]result, error) {
	var all []result
	for _, s := range suites {
		e := s.full
		if check {
			e = s.short
		}
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", s.pattern, "-timeout", "1h",
			"-count", strconv.Itoa(e.count), "-benchtime", e.duration, s.dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
		all = append(all, parseOutput(string(out))...)
	}
	if len(all) == 0 {
		return nil, errors.New("no benchmark ran: Dovecot, Postfix and PostgreSQL must be installed")
	}
	return all, nil
}

// maxGrowth is how many times the multiple in the table a measured one may be. Machines
// differ, and so does their load.
const maxGrowth = 2

// compare compares what was measured with the table. A row of the table that did not run is
// an error, since nothing would check it any more.
func compare(recorded, measured []result) error {
	if len(recorded) == 0 {
		return errors.New("the table is empty: run without -check to write it")
	}
	now := map[string]result{}
	for _, r := range measured {
		now[r.name] = r
	}
	var slow []error
	for _, r := range recorded {
		got, found := now[r.name]
		switch {
		case !found:
			slow = append(slow, fmt.Errorf("%s is in the table but did not run", r.name))
		case got.floors > maxGrowth*r.floors:
			slow = append(slow, fmt.Errorf("%s takes %.2f times its floor: the table says %.2f, and at most twice that is allowed", r.name, got.floors, r.floors))
		default:
			fmt.Printf("%s takes %.2f times its floor; the table says %.2f\n", r.name, got.floors, r.floors)
		}
	}
	return errors.Join(slow...)
}
