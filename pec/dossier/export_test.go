package dossier

import (
	"bytes"
	"context"
	"maps"
	"slices"
)

// Forge writes files in the form of a dossier, with a manifest that lists them.
func Forge(files map[string][]byte) []byte {
	var listed []item
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != manifestFile && name != timestampFile {
			listed = append(listed, newItem(name, files[name]))
		}
	}
	return ForgeManifest(files, manifest(listed))
}

// ForgeManifest writes files in the form of a dossier, with the given manifest.
func ForgeManifest(files map[string][]byte, manifest []byte) []byte {
	var items []item
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != manifestFile {
			items = append(items, newItem(name, files[name]))
		}
	}
	var b bytes.Buffer
	if err := writeArchive(context.Background(), &b, insert(items, newItem(manifestFile, manifest))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// FromForged takes the evidence of a dossier and changes facts, which no signature covers.
func FromForged(zipped []byte, change func(*Recorded)) Source {
	return Source{func(context.Context) (*evidence, error) {
		a, err := readArchive(bytes.NewReader(zipped), int64(len(zipped)))
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
