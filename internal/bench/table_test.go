package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const output = `goos: linux
BenchmarkOpen/warm-2         	    9408	     90000 ns/op	     36735 floor-ns/op	         1.900 x-floor	   29696 B/op	     153 allocs/op
BenchmarkOpen/warm-2         	    9408	     70000 ns/op	     36735 floor-ns/op	         1.500 x-floor	   29696 B/op	     153 allocs/op
BenchmarkOpen/warm-2         	    9408	     80000 ns/op	     36735 floor-ns/op	         1.700 x-floor	   29696 B/op	     153 allocs/op
BenchmarkLarge-2             	       3	  80000000 ns/op	         1.05 x-floor	       0 B/op	       0 allocs/op
BenchmarkNoFloor-2           	       3	  80000000 ns/op
PASS
`

func TestTable(t *testing.T) {
	results := parseOutput(output)
	require.Equal(t, []result{{"Large", 8e7, 1.05, 0, 0}, {"Open/warm", 8e4, 1.7, 29696, 153}}, results)
	text, err := replaceTable("a\n"+begin+"old\n"+end+"b\n", results)
	require.NoError(t, err)
	require.Equal(t, "a\n"+begin+head+"| Large | 80 ms | 1.05 | | |\n| Open/warm | 80 µs | 1.70 | 29 | 153 |\n"+end+"b\n", text)
	again, err := replaceTable(text, results)
	require.NoError(t, err)
	require.Equal(t, text, again)
	require.Equal(t, []result{{name: "Large", floors: 1.05}, {name: "Open/warm", floors: 1.7}}, parseTable(text))
	_, err = replaceTable("no marks", results)
	require.Error(t, err)
}

func TestCompare(t *testing.T) {
	recorded := []result{{name: "a", floors: 1.5}, {name: "b", floors: 1}}
	require.NoError(t, compare(recorded, []result{{name: "a", floors: 2.9}, {name: "b", floors: 0.9}, {name: "new", floors: 9}}))
	require.ErrorContains(t, compare(recorded, []result{{name: "a", floors: 3.1}, {name: "b", floors: 1}}), "a takes 3.10")
	require.ErrorContains(t, compare(recorded, []result{{name: "a", floors: 1}}), "b is in the table but did not run")
	require.Error(t, compare(nil, recorded))
}
