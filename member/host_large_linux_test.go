package member_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/dustin/go-humanize"

	"orchestra/conduct"
	"orchestra/member"
)

// TestManyIdle holds what docs/architecture.md says of a process with 1,000 compositions of which
// 10 are busy: the memory and the descriptors that one at rest takes, one connection to the
// conductor, how soon all are there, and how little time of a core they take.
func TestManyIdle(t *testing.T) {
	all, busy := 1000, 10
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		all, busy = 60, 2
	}
	c, _ := startConduct(t, conduct.Config{})
	front, connections := countConnections(t, c.Addr().String())
	dir := t.TempDir()
	files := composeMany(t, dir, front, all, 1<<20)
	before := heap()
	h, _ := startHost(t, member.HostConfig{})
	began := time.Now()
	members := joinAll(t, h, dir, files)
	until(t, "all are checked", allComplete(members))
	checked := time.Since(began)
	until(t, "the conductor knows all", func() bool {
		for _, m := range members {
			if p := m.Progress(); !p.ConductorUp || !p.Dialled {
				return false
			}
		}
		return true
	})
	known := time.Since(began)
	if n := connections(); n != 1 {
		t.Errorf("%d connections to the conductor", n)
	}
	each := (heap() - before) / int64(all)
	t.Logf("%d compositions: complete after %v, listed after %v; "+
		"%s, %.1f goroutines and %.1f descriptors each",
		all, checked.Round(time.Millisecond), known.Round(time.Millisecond), humanize.IBytes(uint64(each)),
		float64(runtime.NumGoroutine())/float64(all), float64(openFiles(t))/float64(all))
	if known > 5*time.Second && all == 1000 {
		t.Errorf("started in %v", known)
	}
	if each > 200<<10 {
		t.Errorf("one at rest takes %d bytes", each)
	}

	other, _ := startHost(t, member.HostConfig{})
	var getters []*member.Member
	to := t.TempDir()
	for _, f := range files[:busy] {
		m, err := other.Join(t.Context(), member.Config{File: f, Dir: to})
		if err != nil {
			t.Fatal(err)
		}
		getters = append(getters, m)
	}
	until(t, "others have some of them", allComplete(getters))
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		return
	}
	const span = 10 * time.Second
	from := cpu()
	time.Sleep(span) // it is what is measured
	share := float64(cpu()-from) / float64(span)
	t.Logf("at rest they take %.1f %% of a core", 100*share)
	if share > 0.1 {
		t.Errorf("at rest they take %.2f of a core", share)
	}
}

// heap is what the process has in use, stacks included.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc + s.StackInuse)
}

func openFiles(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// cpu is the time that the process has run.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
