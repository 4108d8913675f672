//go:build unix

package cli

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"orchestra/internal/cli/switchboard"
	"orchestra/orch"
)

// Cycles of TestKills; `make soak` has 1,000.
const (
	killCycles    = 40
	cyclesForKill = "ORCHESTRA_TEST_KILLS"
	seedVariable  = "ORCHESTRA_TEST_SEED"
)

// killLoses is how many bytes a member that is killed may have to get again: what it had of parts
// that were not whole, from as many peers as there are here.
const killLoses = 4 << 20

// Members and the conductor are killed, ended and stopped for a while, again and again. Nobody
// claims what is not good, no part is lost that was whole, and every copy is complete in the end.
func TestKills(t *testing.T) {
	t.Parallel()
	cycles := killCycles
	if text := os.Getenv(cyclesForKill); text != "" {
		var err error
		if cycles, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	k := newKills(t, testSeed(t))
	begun := time.Now()
	for cycle := range cycles {
		k.cycle()
		if cycle%100 == 99 {
			t.Logf("%d cycles after %v: %s", cycle+1, time.Since(begun).Round(time.Second), k)
		}
		if t.Failed() {
			break
		}
	}
	k.end()
	t.Logf("%d cycles in %v: %s", cycles, time.Since(begun).Round(time.Second), k)
	if k.seen == 0 {
		t.Error("no claim was ever looked at")
	}
}

// testSeed is the seed of a test that goes by chance: another one each time, unless one is given.
func testSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	return seed
}

// kills is a scene in which nobody is safe.
type kills struct {
	*scene
	rng     *rand.Rand
	file    *orch.File
	board   *switchboard.Switchboard // before the conductor
	members []*mortal                // the source first

	killed, ended, stopped, conductors, seen, copies int
	most                                             int64 // bytes fetched again for a kill
}

// A mortal is a member that is killed and started again.
type mortal struct {
	name  string
	kills int

	followed chan struct{} // closed when all is read that the last run of it said

	mu       sync.Mutex // guards what follows
	player   *player
	address  string
	had      int // parts that were whole when it was last heard of
	fetched  int64
	run      int64 // bytes fetched in this run of it
	complete bool
}

func newKills(t *testing.T, seed uint64) *kills {
	k := &kills{
		scene: newScene(t, 16<<20, "64K"), rng: rand.New(rand.NewPCG(seed, 1)), board: switchboard.New(t),
	}
	k.board.Connect(k.address)
	text, err := os.Open(k.orch)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	if k.file, err = orch.Parse(text); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"original", "one", "two", "three"} {
		m := &mortal{name: name}
		k.members = append(k.members, m)
		k.begin(m)
	}
	return k
}

// String says what was done so far.
func (k *kills) String() string {
	return fmt.Sprintf("%d members and %d conductors killed, %d members ended, %d programs stopped, "+
		"%d copies complete, %d parts of those that were claimed seen, "+
		"%d KiB fetched again for a kill at most",
		k.killed, k.conductors, k.ended, k.stopped, k.copies, k.seen, k.most>>10)
}

// begin starts a member, and follows what it says.
func (k *kills) begin(m *mortal) {
	k.t.Helper()
	p := k.join(m.name, "--conductor", k.board.Addr(), "--upload-limit", "4M")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.player, m.address, m.complete = p, "", false
	m.followed = make(chan struct{})
	go m.follow(k.t, p, m.had)
}

// follow reads what a member says until it ends. It had so many parts before.
func (m *mortal) follow(t *testing.T, p *player, had int) {
	defer close(m.followed)
	checked := false
	for e := range p.events {
		m.mu.Lock()
		switch {
		case e.Event == "start":
			m.address = e.Address
		case e.Event == "progress":
			m.run = e.Downloaded
			if !e.Checking && !checked {
				checked = true
				if e.PartsDone < had {
					t.Errorf("%s has %d parts, and had %d before it was killed", m.name, e.PartsDone, had)
				}
			}
			if !e.Checking {
				m.had = max(m.had, e.PartsDone)
			}
		case e.Event == "complete":
			m.complete = true
		}
		m.mu.Unlock()
	}
}

// cycle does harm to somebody, and looks into what somebody claims.
func (k *kills) cycle() {
	m := k.members[k.rng.IntN(len(k.members))]
	switch k.rng.IntN(16) {
	case 0:
		k.killConductor()
	case 1:
		k.pause(k.conductor)
	case 2, 3, 4, 5:
		k.pause(m.player)
	default:
		k.kill(m)
		k.begin(m)
	}
	time.Sleep(time.Duration(k.rng.IntN(300)) * time.Millisecond) // as the seed has it
	k.inspect(k.members[k.rng.IntN(len(k.members))])
	for _, m := range k.members[1:] {
		if m.isComplete() {
			k.renew(m)
		}
	}
}

func (m *mortal) isComplete() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.complete
}

// kill kills a member, or ends it so that it can say in its journal how all was left, and does not
// start it again.
func (k *kills) kill(m *mortal) {
	m.kills++
	signal := syscall.SIGKILL
	if k.rng.IntN(3) == 0 {
		signal = syscall.SIGTERM
		k.ended++
	} else {
		k.killed++
	}
	_ = m.player.cmd.Process.Signal(signal)
	<-m.player.ended
	<-m.followed // what it said last is of this run
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fetched += m.run
	m.run = 0
}

func (k *kills) killConductor() {
	k.conductors++
	_ = k.conductor.cmd.Process.Signal(syscall.SIGKILL)
	<-k.conductor.ended
	k.board.Connect("")
	k.conduct("127.0.0.1:0")
	k.board.Connect(k.address)
}

// pause stops a program for a while.
func (k *kills) pause(p *player) {
	k.stopped++
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(time.Duration(k.rng.IntN(500)) * time.Millisecond) // as the seed has it
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
}

// inspect looks into what a member claims to have.
func (k *kills) inspect(m *mortal) {
	m.mu.Lock()
	address := m.address
	m.mu.Unlock()
	if address == "" {
		return
	}
	seen, err := inspect(address, k.file, k.content, k.rng)
	k.seen += seen
	if bad := (badClaim{}); errors.As(err, &bad) {
		k.t.Errorf("%s: %v", m.name, err)
	}
}

// renew sees to a copy that is complete, and has the member begin with nothing.
func (k *kills) renew(m *mortal) {
	k.copies++
	k.wantCopy(m.name)
	kills := m.kills
	k.kill(m)
	if again := m.fetched - k.file.Size; kills > 0 {
		k.most = max(k.most, again/int64(kills))
		if again > int64(kills)*killLoses {
			k.t.Errorf("%s fetched %d bytes again; it was killed %d times", m.name, again, kills)
		}
	}
	if err := os.RemoveAll(filepath.Join(k.dir, m.name)); err != nil {
		k.t.Fatal(err)
	}
	m.kills, m.fetched, m.had = 0, 0, 0
	k.begin(m)
}

// end lets all come to an end that is good.
func (k *kills) end() {
	k.t.Helper()
	deadline := time.Now().Add(sceneTime)
	for _, m := range k.members {
		for !m.isComplete() {
			if time.Now().After(deadline) || k.t.Failed() {
				k.t.Fatalf("%s is not complete in time", m.name)
			}
			time.Sleep(50 * time.Millisecond)
		}
		k.wantCopy(m.name)
	}
}
