package page

import (
	"slices"
	"testing"
	"time"
)

var noon = time.Unix(1_800_000_000, 0)

func TestHistorySpreadsWhatIsReported(t *testing.T) {
	var h History
	h.Add(noon.Add(-10*time.Second), noon, 1000, 100)
	minutes, hour := h.Series(noon.Add(2 * time.Second))
	if minutes.Step != 2 || len(minutes.Total) != 150 || hour.Step != 20 || len(hour.Total) != 180 {
		t.Fatalf("steps %d and %d, points %d and %d", minutes.Step, hour.Step, len(minutes.Total), len(hour.Total))
	}
	if got := minutes.Total[143:]; !slices.Equal(got, []int64{0, 100, 100, 100, 100, 100, 0, 0}[1:]) {
		t.Errorf("1,000 bytes in 10 s are %v a second", got)
	}
	if got := minutes.Origin[144]; got != 10 {
		t.Errorf("of them %d from the first sharer, want 10", got)
	}
	if end := minutes.Start + int64(len(minutes.Total))*minutes.Step; end != noon.Unix()+4 {
		t.Errorf("the series ends at %d, want %d", end, noon.Unix()+4)
	}
}

func TestHistoryForgets(t *testing.T) {
	var h History
	if m, _ := h.Series(noon); len(m.Total) != 0 {
		t.Errorf("an empty history has %d points", len(m.Total))
	}
	h.Add(noon.Add(-time.Second), noon, 1<<20, 0)
	sum := func(s Series) (n int64) {
		for _, v := range s.Total {
			n += v * s.Step
		}
		return n
	}
	for _, c := range []struct {
		after         time.Duration
		minutes, hour bool
	}{{4 * time.Minute, true, true}, {6 * time.Minute, false, true}, {61 * time.Minute, false, false}, {100 * time.Hour, false, false}} {
		m, hr := h.Series(noon.Add(c.after))
		if got := sum(m) > 0; got != c.minutes {
			t.Errorf("after %v five minutes know of it: %t", c.after, got)
		}
		if got := sum(hr) > 0; got != c.hour {
			t.Errorf("after %v the hour knows of it: %t", c.after, got)
		}
	}
}

// Reports from long ago, from the future and of a clock that was set back are no harm.
func TestHistoryOddTimes(t *testing.T) {
	var h History
	h.Add(noon, noon, 5, 5)
	h.Add(time.Time{}, noon, 1000, 0)
	h.Add(noon.Add(time.Hour), noon, 1000, 0)
	h.Add(noon.Add(-3*time.Hour), noon.Add(-2*time.Hour), 1000, 0)
	m, _ := h.Series(noon)
	for i, v := range m.Total {
		if v < 0 || v > 1500 {
			t.Errorf("point %d is %d", i, v)
		}
	}
}
