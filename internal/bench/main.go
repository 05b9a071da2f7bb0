// Command bench keeps the table of figures in README.md beside it:
//
//	go run ./internal/bench          measures, and writes the table anew
//	go run ./internal/bench -check   measures in short, and fails where the work costs
//	                                 more than twice the multiple of its floor in the table
//
// Multiples of a floor measured in the same run hold on any machine, times do not. All
// rows need Dovecot, Postfix and PostgreSQL.
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

// suites are the benchmarks of the table: a package and a pattern each, and how many
// times and how long they run for the table and for a check.
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

type effort struct {
	count    int
	duration string // of -benchtime
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	check := flag.Bool("check", false, "measure in short and compare with the table")
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

// measure runs all suites and gives the median of each figure.
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
		return nil, errors.New("no benchmark ran")
	}
	return all, nil
}

// maxGrowth is how many times its recorded multiple a row may cost: machines and
// their other work differ.
const maxGrowth = 2

// compare holds what was measured against the table. A row that is gone is an error:
// it would no longer be guarded.
func compare(recorded, measured []result) error {
	if len(recorded) == 0 {
		return errors.New("the table is empty")
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
			slow = append(slow, fmt.Errorf("%s is in the table and did not run", r.name))
		case got.floors > maxGrowth*r.floors:
			slow = append(slow, fmt.Errorf("%s takes %.2f times its floor, %.2f in the table", r.name, got.floors, r.floors))
		default:
			fmt.Printf("%s: %.2f times its floor, %.2f in the table\n", r.name, got.floors, r.floors)
		}
	}
	return errors.Join(slow...)
}
