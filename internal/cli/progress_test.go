package cli

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"orchestra/member"
)

var concertStart = time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC)

func TestMeter(t *testing.T) {
	var m meter
	now := concertStart
	total := int64(5 << 30) // what was there before does not count
	m.observe(now, total)
	if m.rate() != 0 || m.stalled() {
		t.Errorf("before anything came: %v, stalled %v", m.rate(), m.stalled())
	}
	run := func(seconds int, perSecond int64) {
		for range seconds * 5 {
			now = now.Add(200 * time.Millisecond)
			total += perSecond / 5
			m.observe(now, total)
		}
	}
	near := func(want float64) {
		t.Helper()
		if got := m.rate(); math.Abs(got-want) > want/50 {
			t.Errorf("rate %v, want about %v", got, want)
		}
	}
	run(1, 1000) // the first second already tells
	near(1000)
	run(60, 10_000)
	near(10_000)
	if left, ok := m.left(50_000); !ok || left.Round(time.Second) != 5*time.Second {
		t.Errorf("left %v, %v", left, ok)
	}
	run(5, 0)
	near(10_000 / math.E)
	run(5, 0)
	if _, ok := m.left(1); !m.stalled() || m.rate() != 0 || ok {
		t.Errorf("after ten seconds of nothing: rate %v, stalled %v", m.rate(), m.stalled())
	}
	run(1, 10_000)
	if m.stalled() {
		t.Error("stalled although something came")
	}
}

func TestPlainSchedule(t *testing.T) {
	var s plainSchedule
	for _, step := range []struct {
		second, percent int
		due             bool
	}{
		{0, 3, false},
		{1, 9, false},
		{2, 10, true},
		{3, 19, false},
		{4, 35, true},
		{33, 35, false},
		{34, 35, true},
		{63, 39, false},
		{64, 39, true},
	} {
		if got := s.due(concertStart.Add(time.Duration(step.second)*time.Second), step.percent); got != step.due {
			t.Errorf("at %d s, %d %%: %v, want %v", step.second, step.percent, got, step.due)
		}
	}
}

func TestLimits(t *testing.T) {
	at := func(seconds float64) time.Time {
		return concertStart.Add(time.Duration(seconds * float64(time.Second)))
	}
	complete := member.Progress{Bytes: 100, BytesDone: 100, Complete: true}
	t.Run("stall", func(t *testing.T) {
		l := limits{stall: 3 * time.Second}
		part := member.Progress{Bytes: 100}
		for _, step := range []struct {
			at   float64
			done int64
			code int
		}{{0, 0, 0}, {2.9, 0, 0}, {2.95, 10, 0}, {5.9, 10, 0}, {60, 10, 0}, {60.01, 10, 0}, {60.1, 10, exitStalled}} {
			part.BytesDone = step.done
			if err := l.reached(at(step.at), &part, false); exitCode(err) != step.code {
				t.Errorf("at %v: %v, want code %d", step.at, err, step.code)
			}
		}
	})
	t.Run("stall counts bytes of parts that are not here whole", func(t *testing.T) {
		l := limits{stall: 3 * time.Second}
		for s := range 20 {
			p := member.Progress{Bytes: 100, Downloaded: int64(s)}
			if err := l.reached(at(float64(s)), &p, false); err != nil {
				t.Errorf("after %d s: %v", s, err)
			}
		}
	})
	t.Run("stall does not count garbage", func(t *testing.T) {
		for name, p := range map[string]func(s int64) member.Progress{
			"parts that fail": func(s int64) member.Progress {
				return member.Progress{Bytes: 100, Downloaded: 10 * s, Wasted: 10 * (s - s%2)}
			},
			"what never ends":      func(s int64) member.Progress { return member.Progress{Bytes: 100, Downloaded: 25 * s} },
			"what is here already": func(s int64) member.Progress { return member.Progress{Bytes: 100, Downloaded: 50 + s, Wasted: s} },
		} {
			l := limits{stall: 3 * time.Second}
			var err error
			for s := int64(0); s < 8 && err == nil; s++ {
				now := p(s)
				err = l.reached(at(float64(s)), &now, false)
			}
			if exitCode(err) != exitStalled {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("stall waits for the check", func(t *testing.T) {
		l := limits{stall: time.Second}
		part := member.Progress{Bytes: 100, Checking: true}
		for s := range 9 {
			if err := l.reached(at(float64(s)), &part, false); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("exit", func(t *testing.T) {
		l := limits{exit: true}
		if err := l.reached(at(0), &complete, false); err != nil {
			t.Errorf("before the command has ended: %v", err)
		}
		if err := l.reached(at(1), &complete, true); !errors.Is(err, errEnough) {
			t.Error(err)
		}
	})
	t.Run("exit with bad parts", func(t *testing.T) {
		l := limits{exit: true}
		if err := l.reached(at(0), &member.Progress{BadParts: []int{3}}, false); exitCode(err) != exitVerify {
			t.Error(err)
		}
	})
	t.Run("share-for", func(t *testing.T) {
		l := limits{shareFor: 2 * time.Second}
		for s, want := range map[float64]error{0: nil, 1.9: nil} {
			if err := l.reached(at(s), &complete, true); !errors.Is(err, want) {
				t.Errorf("at %v: %v", s, err)
			}
		}
		if err := l.reached(at(4), &complete, true); !errors.Is(err, errEnough) {
			t.Error(err)
		}
	})
	t.Run("ratio", func(t *testing.T) {
		l := limits{ratio: 1.5}
		complete.Uploaded = 149
		if err := l.reached(at(0), &complete, true); err != nil {
			t.Error(err)
		}
		complete.Uploaded = 150
		if err := l.reached(at(1), &complete, true); !errors.Is(err, errEnough) {
			t.Error(err)
		}
	})
}

func TestBar(t *testing.T) {
	var m meter
	m.observe(concertStart, 0)
	for i := range 100 {
		m.observe(concertStart.Add(time.Duration(i+1)*time.Second), int64(i+1)<<20)
	}
	v := &view{member.Progress{Parts: 256, PartsDone: 100, Bytes: 256 << 20, BytesDone: 100 << 20, Members: 4, ConductorUp: true}, &m}
	const all = " 39% 1 MiB/s ETA 2m36s 4 members 100/256 parts 100 MiB/256 MiB"
	b := newBar()
	if got := b.render(100, v); !strings.HasPrefix(got, "[====") || !strings.HasSuffix(got, "]"+all) || len(got) != 100 {
		t.Errorf("wide: %q, %d columns", got, len(got))
	}
	for width := -1; width < 120; width++ {
		got := b.render(width, v)
		if len(got) > max(width, 0) {
			t.Errorf("%d columns: %q has %d", width, got, len(got))
		}
		if width >= 3 && !strings.Contains(got, "39%") {
			t.Errorf("%d columns: %q does not say how much", width, got)
		}
	}
}

func TestPercentIsHonest(t *testing.T) {
	var m meter
	for _, tt := range []struct {
		p    member.Progress
		want int
	}{
		{member.Progress{Bytes: 1000, BytesDone: 999}, 99},
		{member.Progress{Bytes: 1000, BytesDone: 1000}, 99}, // it has not got its name yet
		{member.Progress{Bytes: 1000, BytesDone: 1000, Complete: true}, 100},
		{member.Progress{Complete: true}, 100},
		{member.Progress{Bytes: math.MaxInt64, BytesDone: math.MaxInt64 / 2}, 50},
	} {
		if got := (&view{tt.p, &m}).percent(); got != tt.want {
			t.Errorf("%d of %d: %d %%, want %d", tt.p.BytesDone, tt.p.Bytes, got, tt.want)
		}
	}
}
