package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

func TestEveryChangeIsPostedOnceItIsTaken(t *testing.T) {
	s := newSite(t)
	refused := map[pec.Position]bool{}
	s.answering(func(c Change) int {
		if c.Fact == "Intent" && !refused[c.Position] {
			refused[c.Position] = true
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	args := []string{"-url", s.server.URL, "-once"}
	first := s.send(mario)
	exit, _, log := s.run(args...)
	require.Zero(t, exit)
	require.Contains(t, log, "503")
	require.Equal(t, all, s.facts(first))
	require.Equal(t, "submitted", s.taken[2].Recipients[0].State)

	second := s.send(mario)
	exit, _, _ = s.run(args...)
	require.Zero(t, exit)
	require.Len(t, s.taken, 6, "the second run continues after the first")
	require.Equal(t, all, s.facts(second))
}

// Following a redirect would send the signature elsewhere, without the change.
func TestARedirectIsAFailure(t *testing.T) {
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			s := newSite(t)
			id := s.send(mario)
			times := 0
			s.answering(func(Change) int {
				if times++; times <= 2 {
					return code
				}
				return http.StatusOK
			})
			log := s.post(5)
			require.Equal(t, all, s.facts(id))
			require.Equal(t, 5, s.seen, "no redirect is followed")
			require.Equal(t, 2, strings.Count(log, http.StatusText(code)))
		})
	}
}

// A change that is never taken holds up the later changes of its send, and nothing else.
func TestARefusedChangeIsParked(t *testing.T) {
	for name, code := range map[string]int{"refused": 400, "broken": 500, "redirected": 302, "no answer": 0} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			bad := s.send(mario)
			good := []string{s.send(mario), s.send(anna), s.send(mario)}
			s.answering(func(c Change) int {
				if c.MessageID == bad && c.Fact == "Attempt" {
					return code
				}
				return http.StatusOK
			})
			log := s.post(4)
			for _, id := range good {
				require.Equal(t, all, s.facts(id))
			}
			require.Equal(t, all[:1], s.facts(bad))
			require.Equal(t, 1, strings.Count(log, "parked"), log)

			exit, out, _ := s.run("-parked")
			require.Zero(t, exit)
			require.Equal(t, 1, strings.Count(out, "\n"))
			var parked waiting
			require.NoError(t, json.Unmarshal([]byte(out), &parked))
			require.Equal(t, waiting{Mailbox: mario, Position: parked.Position, MessageID: bad, Tries: 4, Error: parked.Error, Behind: 1}, parked)
			require.NotEmpty(t, parked.Error)

			// It is not tried again, and later sends go on.
			before := s.seen
			later := s.send(mario)
			exit, _, log = s.run("-url", s.server.URL, "-once")
			require.Equal(t, 1, exit)
			require.Contains(t, log, "1 changes are parked")
			require.Equal(t, all, s.facts(later))
			require.Equal(t, before+3, s.seen)

			s.answering(nil)
			exit, _, log = s.run("-url", s.server.URL, "-once", "-again")
			require.Zero(t, exit, log)
			require.Equal(t, all, s.facts(bad))
			require.Equal(t, before+5, s.seen, "no change is posted twice")
			_, out, _ = s.run("-parked")
			require.Empty(t, out)
		})
	}
}

// While the receiver does not answer, nothing is parked.
func TestAnAbsentReceiverRefusesNothing(t *testing.T) {
	s := newSite(t)
	ids := []string{s.send(mario), s.send(anna)}
	posts := 0
	s.answering(func(Change) int {
		if posts++; posts < 9 {
			return 0
		}
		return http.StatusOK
	})
	log := s.post(2)
	require.NotContains(t, log, "parked")
	require.Equal(t, 8, strings.Count(log, "\n"))
	for _, id := range ids {
		require.Equal(t, all, s.facts(id))
	}
}

// The program is killed at each of its posts, before or after the receiver has the change. No
// change is lost, none overtakes another of its send, and no file is left in the folder.
func TestKilledAtEachPost(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, lost := range []bool{true, false} {
		s := newSite(t)
		ids := []string{s.send(mario), s.send(anna)}
		changes := len(ids) * len(all)
		posts := 0
		kill, gone := make(chan struct{}), make(chan struct{})
		s.answering(func(Change) int {
			if posts++; posts%2 == 1 {
				kill <- struct{}{}
				<-gone
				if lost {
					return http.StatusBadGateway
				}
			}
			return http.StatusOK
		})
		kills := 0
		for ended := false; !ended; {
			process := exec.Command(self, "-store", s.file, "-url", s.server.URL, "-once")
			process.Env = append(os.Environ(), asProgram+"=1")
			require.NoError(t, process.Start())
			end := make(chan error, 1)
			go func() { end <- process.Wait() }()
			select {
			case <-kill:
				kills++
				require.Less(t, kills, 10*changes)
				require.NoError(t, process.Process.Kill())
				<-end
				gone <- struct{}{}
			case err := <-end:
				require.NoError(t, err)
				ended = true
			}
		}
		require.Equal(t, changes, kills)
		for _, id := range ids {
			require.Equal(t, all, slices.Compact(s.facts(id)))
		}
		if !lost {
			require.Greater(t, len(s.taken), changes, "changes that were taken just before a kill come again")
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(s.file), "*"))
		require.NoError(t, err)
		for _, name := range left {
			require.Contains(t, []string{"pec.db", "pec.db-wal", "pec.db-shm"}, filepath.Base(name))
		}
	}
}
