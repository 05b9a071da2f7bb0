package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// result is one row: the medians of a benchmark.
type result struct {
	name          string
	nanoseconds   float64
	floors        float64 // the time as a multiple of the floor
	bytes, allocs float64 // of the heap, in one operation; 0 where not measured
}

const (
	begin = "<!-- figures -->\n"
	end   = "<!-- end of figures -->\n"
	head  = "| benchmark | time | x floor | KiB allocated | allocations |\n|---|---|---|---|---|\n"
)

// parseOutput reads what go test -bench prints. Of several runs of one benchmark
// the median of each figure counts; a benchmark without a floor is left out.
func parseOutput(output string) []result {
	figures := map[string]map[string][]float64{} // by name, then by unit
	var names []string
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		if figures[name] == nil {
			figures[name] = map[string][]float64{}
			names = append(names, name)
		}
		for pair := range slices.Chunk(fields[2:], 2) {
			if value, err := strconv.ParseFloat(pair[0], 64); err == nil && len(pair) == 2 {
				figures[name][pair[1]] = append(figures[name][pair[1]], value)
			}
		}
	}
	var results []result
	for _, name := range names {
		of := figures[name]
		if len(of["x-floor"]) == 0 {
			continue
		}
		results = append(results, result{name, median(of["ns/op"]), median(of["x-floor"]), median(of["B/op"]), median(of["allocs/op"])})
	}
	slices.SortFunc(results, func(a, b result) int { return strings.Compare(a.name, b.name) })
	return results
}

// processors is what go test puts behind a name.
var processors = regexp.MustCompile(`-\d+$`)

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// replaceTable writes the rows between the marks of text.
func replaceTable(text string, results []result) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", errors.New("the marks of the table are not in " + readme)
	}
	var table strings.Builder
	table.WriteString(head)
	for _, r := range results {
		heap := "| |"
		if r.allocs > 0 {
			heap = fmt.Sprintf("%.0f | %.0f |", r.bytes/1024, r.allocs)
		}
		fmt.Fprintf(&table, "| %s | %s | %.2f | %s\n", r.name, duration(r.nanoseconds), r.floors, heap)
	}
	return before + begin + table.String() + end + after, nil
}

func duration(nanoseconds float64) string {
	unit, value := "ms", nanoseconds/1e6
	if value < 1 {
		unit, value = "µs", nanoseconds/1e3
	}
	if value < 10 {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// parseTable reads the names and multiples of the table in text.
func parseTable(text string) []result {
	_, rest, _ := strings.Cut(text, begin)
	table, _, _ := strings.Cut(rest, end)
	var results []result
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		floors, err := strconv.ParseFloat(strings.TrimSpace(cells[3]), 64)
		if err != nil {
			continue // the head
		}
		results = append(results, result{name: strings.TrimSpace(cells[1]), floors: floors})
	}
	return results
}
