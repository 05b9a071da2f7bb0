package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gopec/gopec/pec"
)

// positions are how far each mailbox was posted, by its address.
type positions map[string]pec.Position

func readPositions(file string) (positions, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return positions{}, nil
	}
	if err != nil {
		return nil, err
	}
	p := positions{}
	return p, json.Unmarshal(text, &p)
}

// write replaces the file in one step, so that a crash leaves the old one or the new.
func (p positions) write(file string) (err error) {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
