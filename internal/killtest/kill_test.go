package killtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// life is the life of one worker. It is killed when it takes a step for the n-th time.
type life struct {
	way  string
	step string
	n    int
}

// plan is a run of several workers, one after the other. Each of them is killed.
type plan struct {
	name      string
	lives     []life
	uncertain int // how many messages are uncertain in the end
}

// handover are the steps of an attempt. Every message goes through them.
var handover = []string{"before submit", "before attempt", "after attempt", "half body", "whole body", "after submit", "before outcome", "after outcome"}

// mayHaveLeft are the steps after which a message may have left. They lie between the claim,
// which is made when the provider asks for the message, and the provider's answer.
var mayHaveLeft = []string{"after attempt", "half body", "whole body"}

// planFor returns the plan of these lives.
func planFor(lives ...life) plan {
	p := plan{lives: lives}
	var names []string
	for _, l := range lives {
		names = append(names, fmt.Sprintf("%s %s %d", l.way, l.step, l.n))
		if slices.Contains(mayHaveLeft, l.step) {
			p.uncertain++
		}
	}
	p.name = strings.Join(names, ", ")
	return p
}

// plans returns one plan for each step that a worker takes when nothing goes wrong, and one
// for each step that only a second worker takes. The steps of an attempt have a plan for
// each of the two messages. If long is set there are more plans.
func plans(t *testing.T, driver string, long bool) []plan {
	t.Helper()
	taken, _ := undisturbed(t, driver)
	var all []plan
	for _, step := range slices.Sorted(maps.Keys(taken)) {
		all = append(all, planFor(life{sends, step, 1}))
		if taken[step] > 1 && (long || slices.Contains(handover, step)) {
			all = append(all, planFor(life{sends, step, 2}))
		}
		// Watch makes no searches and no summaries.
		if long && !strings.HasSuffix(step, "found") && !strings.HasSuffix(step, "summary") {
			all = append(all, planFor(life{watches, step, 1}))
		}
	}
	for _, step := range handover {
		all = append(all, planFor(life{sends, "after intent+key", 1}, life{retries, step, 1}))
	}
	known := life{sends, "after notice+cert", 1}
	return append(all,
		planFor(known, life{sends, "before cert", 1}),
		planFor(known, life{sends, "after cert", 1}),
		planFor(known, life{sends, "before notice", 2}, life{sends, "after intent+key+resent", 1}, life{retries, "after attempt", 1}),
		planFor(life{watches, "before cursor", 1}),
	)
}

// undisturbed runs a worker that nothing happens to. It returns how often the worker takes
// each step, and how long it runs.
func undisturbed(t *testing.T, driver string) (map[string]int, time.Duration) {
	t.Helper()
	r := newScene(t, driver, 1).newRun(t)
	require.NoError(t, r.network.Idle(t.Context()))
	f, begun := newFuse("", 0), time.Now()
	w, err := r.order.open(t.Context(), f.at)
	require.NoError(t, err)
	require.NoError(t, w.work(t.Context()))
	w.close()
	return f.taken, time.Since(begun)
}

// One worker or several, one after the other, are each killed at a step. The last one does
// all the work again, or only goes on with what it finds in the Store.
func TestKilledAtEachStep(t *testing.T) {
	onEach(t, func(t *testing.T, driver string) {
		_, long := scale(t)
		all := plans(t, driver, long)
		s := newScene(t, driver, len(all))
		results := newTable(t, driver)
		for i, p := range all {
			t.Run(p.name, func(t *testing.T) {
				r := s.newRun(t)
				for n, l := range p.lives {
					o := r.order
					o.Way, o.Step, o.N, o.Ahead = l.way, l.step, l.n, time.Duration(n)*5*time.Minute
					require.True(t, start(t, o).wait(t), "the worker did not take the step")
				}
				r.again(t, []string{sends, retries}[i%2], 30*time.Minute)
				v := r.judge(t)
				assert.Equal(t, p.uncertain, v.uncertain)
				results.add(p.lives[len(p.lives)-1].step, len(p.lives), v)
			})
		}
	})
}

// The provider takes or loses a message at the final dot, and its answer is lost, or the
// worker is killed before it can record the answer.
func TestTheFinalDot(t *testing.T) {
	cases := []struct {
		name      string
		fault     pectest.Fault
		kill      bool   // whether the worker is killed at the dot
		step      string // the step at which it is killed instead; "" for none
		uncertain int
	}{
		{"taken, killed", pectest.Fault{Cut: true}, true, "", 0},
		{"lost, killed", pectest.Fault{Cut: true, Lose: true}, true, "", 1},
		{"taken, cut", pectest.Fault{Cut: true}, false, "", 0},
		{"taken, cut within the 250", pectest.Fault{Cut: true, CutAfter: 3}, false, "", 0},
		{"taken, cut, killed before the record", pectest.Fault{Cut: true}, false, "before outcome", 0},
		{"lost, cut", pectest.Fault{Cut: true, Lose: true}, false, "", 1},
		{"lost, cut, killed before the record", pectest.Fault{Cut: true, Lose: true}, false, "before outcome", 1},
		{"lost, 451", pectest.Fault{Lose: true}, false, "", 0},
		{"lost, 451, killed before the record", pectest.Fault{Lose: true}, false, "before outcome", 1},
		{"lost, 451, killed after the record", pectest.Fault{Lose: true}, false, "after outcome", 0},
	}
	onEach(t, func(t *testing.T, driver string) {
		s := newScene(t, driver, 2*len(cases))
		results := newTable(t, driver)
		for _, c := range cases {
			for n := 1; n <= 2; n++ {
				t.Run(fmt.Sprintf("%s %d", c.name, n), func(t *testing.T) {
					r := s.newRun(t)
					victim := make(chan *process, 1)
					defer r.atDot(n, func() *pectest.Fault {
						if c.kill {
							(<-victim).kill()
						}
						return &c.fault
					})()
					o := r.order
					o.Step, o.N = c.step, n
					p := start(t, o)
					victim <- p
					kills := 0
					if p.wait(t) {
						kills++
					}
					require.Equal(t, c.kill || c.step != "", kills > 0)
					r.again(t, []string{sends, retries}[n-1], 30*time.Minute)
					v := r.judge(t)
					assert.Equal(t, c.uncertain, v.uncertain)
					results.add("dot: "+c.name, kills, v)
				})
			}
		}
	})
}

// asking are the SMTP commands before the message, each for the n-th time. After the last of
// them the provider asks for the message.
var asking = []struct {
	command string
	n       int
}{
	{pectest.MomentGreeting, 1}, {"EHLO", 1}, {"AUTH", 1},
	{"MAIL", 1}, {"MAIL", 2}, {"RCPT", 1}, {"RCPT", 2}, {"RCPT", 4}, {"DATA", 1}, {"DATA", 2},
}

// A worker is killed while the provider answers a command before the message. It has sent
// nothing, so nothing is uncertain.
func TestKilledBeforeTheMessageIsAskedFor(t *testing.T) {
	onEach(t, func(t *testing.T, driver string) {
		s := newScene(t, driver, len(asking))
		results := newTable(t, driver)
		for i, c := range asking {
			t.Run(fmt.Sprintf("%s %d", c.command, c.n), func(t *testing.T) {
				r := s.newRun(t)
				victim := make(chan *process, 1)
				remove := r.atCommand(c.command, c.n, func() *pectest.Fault {
					(<-victim).kill()
					return &pectest.Fault{Cut: true}
				})
				p := start(t, r.order)
				victim <- p
				require.True(t, p.wait(t), "the worker did not give the command")
				remove()
				r.again(t, []string{sends, retries}[i%2], 30*time.Minute)
				v := r.judge(t)
				assert.Zero(t, v.uncertain)
				results.add(c.command, 1, v)
			})
		}
	})
}

// The provider refuses a command before the message for now. The worker is killed before or
// after it records the refusal, in one Append with the attempt.
func TestKilledAtTheRecordOfARefusal(t *testing.T) {
	steps := []string{"", "before attempt+outcome", "after attempt+outcome"}
	commands := []string{"MAIL", "RCPT", "DATA"}
	onEach(t, func(t *testing.T, driver string) {
		s := newScene(t, driver, len(steps)*len(commands))
		results := newTable(t, driver)
		for _, command := range commands {
			for i, step := range steps {
				t.Run(command+" "+step, func(t *testing.T) {
					r := s.newRun(t)
					remove := r.atCommand(command, 1, func() *pectest.Fault { return &pectest.Fault{Reply: "451 4.3.0 later\r\n"} })
					o := r.order
					o.Step, o.N = step, 1
					require.Equal(t, step != "", start(t, o).wait(t))
					remove()
					r.again(t, []string{sends, retries}[i%2], 30*time.Minute)
					v := r.judge(t)
					assert.Zero(t, v.uncertain)
					results.add(command+" refused", min(i, 1), v)
				})
			}
		}
	})
}

// atCommand calls strike at the n-th SMTP command of that name. It counts commands of the
// run's mailbox, and those before a login.
func (r *run) atCommand(name string, n int, strike func() *pectest.Fault) (remove func()) {
	var given atomic.Int32
	address, provider := r.order.Address, r.network.Providers()[0]
	return r.network.Intercept(func(m pectest.Moment) *pectest.Fault {
		ours := m.Protocol == pectest.SMTP && m.Provider == provider && (m.Account == address || m.Account == "")
		if !ours || !strings.HasPrefix(m.Command, name) || int(given.Add(1)) != n {
			return nil
		}
		return strike()
	})
}

// atDot calls strike at the n-th final dot of the run.
func (r *run) atDot(n int, strike func() *pectest.Fault) (remove func()) {
	var dots atomic.Int32
	address := r.order.Address
	return r.network.Intercept(func(m pectest.Moment) *pectest.Fault {
		if m.Account != address || m.Command != pectest.MomentDot || int(dots.Add(1)) != n {
			return nil
		}
		return strike()
	})
}

// Workers are killed at random moments or steps, one or two at a time, several times in a
// row. In some runs the provider hangs up at the final dot.
func TestKilledAtAnyMoment(t *testing.T) {
	onEach(t, func(t *testing.T, driver string) {
		runs, _ := scale(t)
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		chance := rand.New(rand.NewPCG(seed, 0))
		taken, whole := undisturbed(t, driver)
		steps := slices.Sorted(maps.Keys(taken))
		s := newScene(t, driver, runs)
		results := newTable(t, driver)
		for range runs {
			r := s.newRun(t)
			if chance.IntN(3) == 0 {
				defer r.atDot(1+chance.IntN(2), func() *pectest.Fault { return &pectest.Fault{Cut: true} })()
			}
			killed, most := 0, 0
			for wave := range 1 + chance.IntN(3) {
				var alive []*process
				for range 1 + chance.IntN(2) {
					o := r.order
					o.Ahead = time.Duration(wave) * 5 * time.Minute
					o.Way = []string{sends, sends, retries, watches}[chance.IntN(4)]
					if chance.IntN(2) == 0 {
						o.Step = steps[chance.IntN(len(steps))]
						o.N = 1 + chance.IntN(taken[o.Step])
					}
					p := start(t, o)
					alive = append(alive, p)
					moment := time.AfterFunc(time.Duration(chance.Int64N(int64(whole*3/2))), p.kill)
					defer moment.Stop()
				}
				most = max(most, len(alive))
				for _, p := range alive {
					if p.wait(t) {
						killed++
					}
				}
			}
			r.again(t, []string{sends, retries}[chance.IntN(2)], 30*time.Minute)
			name := "at random, one at a time"
			if most > 1 {
				name = "at random, two at once"
			}
			results.add(name, killed, r.judge(t))
			require.False(t, t.Failed(), "run of %s", r.order.Address)
		}
	})
}
