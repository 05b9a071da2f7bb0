package dossier

import (
	"bytes"
	"context"
	"maps"
	"slices"
)

// Forge writes files in the form of a dossier, with a manifest that fits them.
func Forge(files map[string][]byte) []byte {
	var items []item
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != manifestFile {
			items = append(items, newItem(name, files[name]))
		}
	}
	listed := slices.DeleteFunc(slices.Clone(items), func(it item) bool { return it.name == timestampFile })
	var b bytes.Buffer
	if err := writeArchive(context.Background(), &b, insert(items, newItem(manifestFile, manifest(listed)))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// FromForged takes the evidence of a dossier and changes what no signature covers.
func FromForged(zip []byte, change func(*Facts)) Source {
	return Source{func(context.Context) (*evidence, error) {
		a, err := readArchive(bytes.NewReader(zip), int64(len(zip)))
		if err != nil {
			return nil, err
		}
		e, err := a.evidence()
		if err != nil {
			return nil, err
		}
		change(&e.facts)
		return e, nil
	}}
}
