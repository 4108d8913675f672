package cli

import (
	"runtime"
	"testing"
	"time"

	"orchestra/member"
)

func TestCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	c := newCores()
	now := time.Unix(1000, 0)
	p := member.Progress{Checking: true}
	want := func(when string, n int) {
		t.Helper()
		if got := runtime.GOMAXPROCS(0); got != n {
			t.Errorf("%s: %d cores, want %d", when, got, n)
		}
	}
	pass := func(span time.Duration, down, up int64) {
		for range int(span / lookEvery) {
			now = now.Add(lookEvery)
			p.Downloaded += down * int64(lookEvery) / int64(time.Second)
			p.Uploaded += up * int64(lookEvery) / int64(time.Second)
			c.fit(now, p)
		}
	}
	pass(3*coresSpan, 0, 0)
	want("while the content is checked", 3)
	p.Checking = false
	pass(coresSpan/2, 0, 0)
	want("before a span ended", 3)
	pass(2*coresSpan, 1<<20, 1<<20)
	want("when little moves", 1)
	pass(2*coresSpan, 2*oneCoreRate, 0)
	want("when much comes", 3)
	pass(2*coresSpan, 0, 1<<20)
	want("when little moves again", 1)
	pass(2*coresSpan, 0, 2*oneCoreRate)
	want("when much goes", 3)
	pass(2*coresSpan, 0, 0)
	want("when nothing moves", 1)
	p.Checking = true
	pass(lookEvery, 0, 0)
	want("when the content is checked again", 3)
	p.Checking = false
	pass(2*coresSpan, 0, 0)
	want("when nothing moves again", 1)
	c.end()
	want("at the end", 3)
}
