package conduct

import (
	"testing"
	"time"
)

func TestAllowance(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var a allowance
	for _, step := range []struct {
		later time.Duration
		want  int // of three tries
	}{
		{0, 3},
		{0, 1},
		{time.Second, 0},
		{9 * time.Second, 1},  // ten since it was used up
		{15 * time.Second, 1}, // the half of what is given back next is kept
		{5 * time.Second, 1},
		{time.Hour, 3},
		{0, 1},
	} {
		now = now.Add(step.later)
		got := 0
		for range 3 {
			if a.draw(now, 4, 10*time.Second) {
				got++
			}
		}
		if got != step.want {
			t.Errorf("%v later it was granted %d times, want %d", step.later, got, step.want)
		}
	}
}
