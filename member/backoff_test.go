package member

import (
	"testing"
	"time"
)

func TestBackoffGrowsAndIsSpread(t *testing.T) {
	least, most := backoff{wait: retryFirst}, backoff{wait: retryFirst}
	wait := retryFirst
	for range 12 {
		shortest := least.next(func(time.Duration) time.Duration { return 0 })
		longest := most.next(func(n time.Duration) time.Duration { return n - 1 })
		if shortest != wait/2 || longest != wait/2+wait-1 {
			t.Errorf("%v to %v, want %v to %v", shortest, longest, wait/2, wait/2+wait)
		}
		wait = min(2*wait, retryMost)
	}
	if wait != retryMost {
		t.Errorf("it ends at %v", wait)
	}
}

func TestConductorsStateIsSteady(t *testing.T) {
	up, down, unknown := func(s string) conductorState { return conductorState{up: true, words: s} }, func(s string) conductorState { return conductorState{words: s} }, conductorState{}
	for _, test := range []struct {
		states []conductorState
		up     bool
		words  string
	}{
		{nil, false, ""},
		{[]conductorState{unknown, unknown}, false, ""},
		{[]conductorState{unknown, down("b")}, false, "b"},
		{[]conductorState{down("a"), down("b")}, false, "a"},
		{[]conductorState{down("a"), up("b"), down("c")}, true, "b"},
		{[]conductorState{up("a"), up("b")}, true, "a"},
		{[]conductorState{unknown, up("b")}, true, "b"},
	} {
		if up, words := overall(test.states); up != test.up || words != test.words {
			t.Errorf("%v: %v %q, want %v %q", test.states, up, words, test.up, test.words)
		}
	}
}
