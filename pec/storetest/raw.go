package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/gopec/gopec/pec"
)

var rawChecks = []check{
	{"RawExactly", rawExactly},
	{"RawAbsent", rawAbsent},
	{"RawReaders", rawReaders},
}

func rawExactly(t *testing.T, s pec.Store) {
	sizes := []int{0, 1, 4096, 65_535, 65_536, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1<<20 + 1, 5 << 20}
	raws := make([][]byte, len(sizes))
	var batch []pec.Entry
	for i, size := range sizes {
		raws[i] = pattern(size)
		batch = append(batch, withRaw(entry(fmt.Sprint(size), "a@x"), raws[i]))
	}
	// Bytes that a text column or a line reader would change.
	raws = append(raws, []byte("\x00\xff\xfe\r\n.\r\n\n\r\x1a\xc3\x28'\\x00"))
	batch = append(batch, withRaw(entry("odd", "a@x"), raws[len(sizes)]))
	// A section in the middle of something larger.
	middle := entry("middle", "a@x")
	middle.Raw = io.NewSectionReader(bytes.NewReader(pattern(900_000)), 100_000, 600_000)
	raws = append(raws, pattern(900_000)[100_000:700_000])
	mustAppend(t, s, box, append(batch, middle)...)
	for i, e := range append(batch, middle) {
		if raw := mustRaw(t, s, box, e.Key); !bytes.Equal(raw, raws[i]) {
			t.Errorf("the Raw %q came back as %d bytes that differ from the %d appended", e.Key, len(raw), len(raws[i]))
		}
	}
	sameKeys(t, follow(t, s, box, "", len(batch)+1)[:2], "0", "1")
}

func rawAbsent(t *testing.T, s pec.Store) {
	mustAppend(t, s, box, entry("without", "a@x"), withRaw(entry("with", "a@x"), []byte("raw")))
	for _, key := range []string{"without", "unknown", ""} {
		if _, err := s.Raw(t.Context(), box, key); !errors.Is(err, pec.ErrNotFound) {
			t.Errorf("Raw(%q): %v; want ErrNotFound", key, err)
		}
	}
	mustEntry(t, s, box, "without")
}

// Readers of a Raw are independent of each other and of other calls.
func rawReaders(t *testing.T, s pec.Store) {
	raw := pattern(700_000)
	mustAppend(t, s, box, withRaw(entry("k", "a@x"), raw))
	abandoned, err := s.Raw(t.Context(), box, "k")
	noError(t, err)
	_, err = abandoned.Read(make([]byte, 10))
	noError(t, err)
	noError(t, abandoned.Close())

	one, err := s.Raw(t.Context(), box, "k")
	noError(t, err)
	two, err := s.Raw(t.Context(), box, "k")
	noError(t, err)
	var got [2]bytes.Buffer
	for i := 0; got[0].Len() < len(raw) || got[1].Len() < len(raw); i++ {
		_, err = io.CopyN(&got[0], one, int64(min(64<<10, len(raw)-got[0].Len())))
		noError(t, err)
		mustAppend(t, s, box, entry(fmt.Sprint(i), "a@x")) // with both readers open
		_, err = io.CopyN(&got[1], two, int64(min(64<<10, len(raw)-got[1].Len())))
		noError(t, err)
	}
	for i, r := range []io.ReadCloser{one, two} {
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("Read after the end: %d, %v; want 0, EOF", n, err)
		}
		noError(t, r.Close())
		if !bytes.Equal(got[i].Bytes(), raw) {
			t.Errorf("reader %d returned bytes that differ from those appended", i)
		}
	}
	third, err := s.Raw(t.Context(), box, "k")
	noError(t, err)
	defer third.Close()
	noError(t, iotest.TestReader(third, raw))
}
