package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// result is one row of the table: the medians of a benchmark.
type result struct {
	name          string
	nanoseconds   float64 // per operation
	floors        float64 // the time as a multiple of the floor
	bytes, allocs float64 // on the heap, per operation; 0 if not measured
}

// The marks around the table, and its head.
const (
	begin = "<!-- figures -->\n"
	end   = "<!-- end of figures -->\n"
	head  = "| benchmark | time | x floor | KiB allocated | allocations |\n|---|---|---|---|---|\n"
)

// parseOutput reads what go test -bench prints. If a benchmark ran several times, it takes
// the median of each figure. It skips a benchmark without a floor.
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

// processors is the number of processors that go test appends to a name.
var processors = regexp.MustCompile(`-\d+$`)

// median returns the median of the values, 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// replaceTable returns text with a table of the results between its marks.
func replaceTable(text string, results []result) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s does not have the marks of the table: %q and %q", readme, begin, end)
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

// duration returns a time in ms, or in µs below 1 ms.
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

// parseTable returns the names and multiples in the table of text.
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
