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
