package cli

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cheggaaa/pb/v3"

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
		waiting         string
	}{
		{0, 3, false, ""},
		{1, 9, false, ""},
		{2, 10, true, ""},
		{3, 19, false, ""},
		{4, 35, true, ""},
		{33, 35, false, ""},
		{34, 35, true, ""},
		{63, 39, false, ""},
		{64, 39, true, ""},
		{65, 39, true, "nobody has it"},
		{66, 39, false, "nobody has it"},
		{70, 39, false, ""},
		{71, 39, false, ""},
	} {
		p := member.Progress{Bytes: 100, BytesDone: int64(step.percent), Waiting: step.waiting}
		v := &view{p, &meter{}, &meter{}, nil}
		if got := s.due(concertStart.Add(time.Duration(step.second)*time.Second), v); got != step.due {
			t.Errorf("at %d s, %d %%: %v, want %v", step.second, step.percent, got, step.due)
		}
	}
}

// Who shares has a line each five minutes in which something was sent.
func TestPlainScheduleOfSharing(t *testing.T) {
	var s plainSchedule
	for _, step := range []struct {
		minute int
		sent   int64
		due    bool
	}{
		{0, 0, false},
		{10, 0, false},
		{11, 1, true},
		{12, 2, false},
		{15, 3, false},
		{16, 4, true},
		{100, 4, false},
	} {
		v := &view{member.Progress{Complete: true, Uploaded: step.sent}, &meter{}, &meter{}, nil}
		if got := s.due(concertStart.Add(time.Duration(step.minute)*time.Minute), v); got != step.due {
			t.Errorf("after %d minutes: %v, want %v", step.minute, got, step.due)
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
		}{
			{0, 0, 0},
			{2.9, 0, 0},
			{2.95, 10, 0},
			{5.9, 10, 0},
			{60, 10, 0},
			{60.01, 10, 0},
			{60.1, 10, exitStalled},
		} {
			part.BytesDone = step.done
			if err := l.reached(at(step.at), &part, false); exitCode(err) != step.code {
				t.Errorf("at %v: %v, want code %d", step.at, err, step.code)
			}
		}
	})
	t.Run("stall says why", func(t *testing.T) {
		l := limits{stall: 3 * time.Second}
		p := member.Progress{Bytes: 100, Waiting: "all are full"}
		err := errors.Join(l.reached(at(0), &p, false), l.reached(at(3), &p, false))
		if err == nil || err.Error() != "nothing came for 3.0 s: all are full" {
			t.Error(err)
		}
	})
	t.Run("exit with a command that failed", func(t *testing.T) {
		l := limits{exit: true, hooked: errors.New("the command failed")}
		if err := l.reached(at(0), &complete, false); err != nil {
			t.Error(err)
		}
		if err := l.reached(at(1), &complete, true); !errors.Is(err, l.hooked) || exitCode(err) != exitOther {
			t.Error(err)
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
			"what never ends": func(s int64) member.Progress {
				return member.Progress{Bytes: 100, Downloaded: 25 * s}
			},
			"what is here already": func(s int64) member.Progress {
				return member.Progress{Bytes: 100, Downloaded: 50 + s, Wasted: s}
			},
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

// steadyMeter has taken in so many bytes a second for long.
func steadyMeter(perSecond int64) *meter {
	var m meter
	for i := range int64(100) {
		m.observe(concertStart.Add(time.Duration(i)*time.Second), i*perSecond)
	}
	return &m
}

func TestBar(t *testing.T) {
	joins := member.Progress{
		Parts: 256, PartsDone: 99, Bytes: 256 << 20, BytesDone: 99 << 20, Uploaded: 1234 << 20,
		Members: 4, Known: 5, KnownComplete: 1, ConductorUp: true, Conductor: "conductor host:9999",
	}
	shares := joins
	shares.Complete, shares.PartsDone, shares.BytesDone, shares.KnownComplete = true, 256, 256<<20, 3
	alone := shares
	alone.Known, alone.Members, alone.ConductorUp = 0, 0, false
	waits := joins
	waits.Downloaded = 1
	waits.Waiting = "nobody connected has 3 of the 157 missing parts; 192.168.1.17:10001 had them last"
	checks := joins
	checks.Checking, checks.Downloaded = true, 0
	bad := joins
	bad.BadParts = make([]int, 157)
	pulls := joins
	pulls.Origins = []member.Origin{{Name: "example.org", Received: 80 << 20}}
	refused := joins
	refused.Origins = []member.Origin{
		{Name: "example.org", Trouble: "answers 403 Forbidden", Again: time.Now().Add(30 * time.Second)},
	}
	down, up, none := steadyMeter(1<<20), steadyMeter(512<<10), steadyMeter(0)
	// How long a bar is does not matter here.
	const (
		moves  = "music [=>-]  38% 1.00 MiB/s ETA 2m37s   up  512 KiB/s 1 of 5 complete"
		stalls = "music 38% stalled: nobody connected has 3 of the 157 missing parts; 192.168."
	)
	for _, tt := range []struct {
		name  string
		width int
		v     *view
		want  string
	}{
		{
			"joins", 140, &view{joins, down, up, nil},
			moves + " 4 connected 1.21 GiB sent  99/256 parts 99.0 MiB/256 MiB",
		},
		{"joins", 79, &view{joins, down, up, nil}, moves},
		{
			"gets from the web", 110, &view{pulls, down, up, none},
			moves + " 80.0 MiB from web 4 connected",
		},
		{
			"is refused", 150, &view{refused, down, up, none},
			moves + " the web server example.org answers 403 Forbidden; it is a... 4 connected",
		},
		{"joins", 39, &view{joins, down, up, nil}, "[==>-------]  38% 1.00 MiB/s ETA 2m37s  "},
		{"joins", 19, &view{joins, down, up, nil}, " 38% 1.00 MiB/s"},
		{"joins", 14, &view{joins, down, up, nil}, "38%"},
		{
			"shares", 79, &view{shares, none, up, nil},
			"music [==] 100% sharing  512 KiB/s 3 of 5 complete 1.21 GiB sent",
		},
		{"shares", 39, &view{shares, none, up, nil}, "[=========] 100% sharing  512 KiB/s"},
		{"shares", 19, &view{shares, none, up, nil}, "100%  512 KiB/s"},
		{
			"shares alone", 79, &view{alone, none, none, nil},
			"music [==] 100% sharing      0 B/s no members no conductor 1.21 GiB sent",
		},
		{"waits", 110, &view{waits, none, up, nil}, stalls + "1.17:10001 had them last"},
		{"waits", 79, &view{waits, none, up, nil}, stalls + "..."},
		{"waits", 39, &view{waits, none, up, nil}, "38% stalled: nobody connected has 3 ..."},
		{"waits", 19, &view{waits, none, up, nil}, "38% stalled: nob..."},
		{"waits", 4, &view{waits, none, up, nil}, "38% "},
		{"comes again", 39, &view{waits, down, up, nil}, "[==>-------]  38% 1.00 MiB/s ETA 2m37s  "},
		{
			"checks", 79, &view{checks, none, up, nil},
			"music [=>-]  38%   checking ETA -       up  512 KiB/s 1 of 5 complete",
		},
		{
			"keeps bad parts", 79, &view{bad, none, up, nil},
			"music [=>-]  38% sharing  512 KiB/s 1 of 5 complete 1.21 GiB sent",
		},
	} {
		got := newBar("music").render(tt.width, tt.v)
		graph := regexp.MustCompile(`\[[-=> ]+\]`)
		if graph.ReplaceAllString(got, "[]") != graph.ReplaceAllString(tt.want, "[]") {
			t.Errorf("%s, %d columns:\ngot  %q\nwant %q", tt.name, tt.width, got, tt.want)
		}
	}
	names := []string{
		"", "m", "a name that is longer than any place for it", "\x1b[31mred",
		"\u4e2d\u6587\u540d\u5b57\u5f88\u957f\u5f88\u957f\u5f88\u957f",
	}
	for _, v := range []*view{{joins, down, up, nil}, {shares, none, up, nil}, {waits, none, none, nil}} {
		for i, name := range names {
			b := newBar(name)
			for width := -1; width < 150; width++ {
				got := b.render(width, v)
				if pb.CellCount(got) > max(width, 0) {
					t.Errorf("name %d, %d columns: %q has %d", i, width, got, pb.CellCount(got))
				}
				if width >= 3 && !strings.Contains(got, fmt.Sprint(v.percent())) {
					t.Errorf("name %d, %d columns: %q does not say how much", i, width, got)
				}
				if strings.Contains(got, "\x1b") {
					t.Errorf("%q", got)
				}
			}
		}
	}
}

func TestLine(t *testing.T) {
	joins := member.Progress{
		Parts: 256, PartsDone: 99, Bytes: 256 << 20, BytesDone: 99 << 20, Downloaded: 99 << 20,
		Members: 1, Known: 2, ConductorUp: true, Conductor: "conductor host:9999",
	}
	gives := joins
	gives.Uploaded, gives.KnownComplete = 5<<20, 1
	shares := gives
	shares.Complete, shares.PartsDone, shares.BytesDone, shares.ConductorUp = true, 256, 256<<20, false
	waits := joins
	waits.Waiting = "all are full\n"
	first := waits
	first.PartsDone, first.BytesDone, first.Downloaded, first.Members, first.Known = 0, 0, 0, 0, 0
	pulls := joins
	pulls.Origins = []member.Origin{{Name: "example.org", Received: 80 << 20}, {Name: "s3://music"}}
	refused := joins
	refused.Origins = []member.Origin{
		{Name: "example.org", Trouble: "answers 403 Forbidden", Again: time.Now().Add(30 * time.Second)},
		{Name: "other", Trouble: "sends nothing", Again: time.Now().Add(-time.Second)},
	}
	got := shares
	got.Origins = []member.Origin{
		{Name: "example.org", Received: 200 << 20},
		{Name: "s3://music", Received: 56 << 20, Trouble: "sends nothing"},
	}
	down, up, none := steadyMeter(1<<20), steadyMeter(512<<10), steadyMeter(0)
	var fresh meter
	const (
		part    = "99 of 256 parts (38 %), 99 MiB of 256 MiB"
		moves   = part + ", 1.00 MiB/s, ETA 2m37s"
		nobody  = ", 0 of 2 complete, 1 connected"
		another = ", 5 MiB sent, 1 of 2 complete, 1 connected"
		whole   = "256 of 256 parts (100 %), 256 MiB of 256 MiB, sharing"
	)
	for _, tt := range []struct {
		v    *view
		want string
	}{
		{&view{joins, down, none, nil}, moves + nobody},
		{&view{gives, down, up, nil}, moves + ", up 512 KiB/s" + another},
		{
			&view{pulls, down, none, up},
			moves + ", 80 MiB at 512 KiB/s from the web server example.org" + nobody,
		},
		{
			&view{refused, down, none, none},
			moves + nobody + "; the web server example.org answers 403 Forbidden; " +
				"it is asked again in 30s",
		},
		{
			&view{got, none, none, up},
			whole + ", 256 MiB from 2 web servers" + another + ", no conductor",
		},
		{&view{shares, none, up, nil}, whole + ", up 512 KiB/s" + another + ", no conductor"},
		{&view{waits, none, none, nil}, part + nobody + `; stalled: all are full\n`},
		{&view{joins, none, none, nil}, part + nobody + `; stalled`},
		{
			&view{first, &fresh, none, nil},
			`0 of 256 parts (0 %), 0 B of 256 MiB, no members; waiting: all are full\n`,
		},
	} {
		if got := tt.v.line(); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// Figures that change do not move what stands beside them.
func TestBarIsSteady(t *testing.T) {
	b := newBar("music")
	shapes := map[int]string{}
	for i, rate := range []int64{0, 7, 999, 1000, 1023, 1024, 99_999, 1 << 20, 10 << 20, 1023 << 20, 7 << 30} {
		for _, done := range []int64{0, 9 << 10, 1 << 30, 99 << 30, 999 << 30} {
			v := &view{
				member.Progress{
					Parts: 1000, PartsDone: int(done >> 30), Bytes: 1000 << 30, BytesDone: done, Uploaded: done,
					Members: 4, Known: 15, KnownComplete: i, ConductorUp: true,
				}, steadyMeter(rate), steadyMeter(rate), nil,
			}
			if rate == 0 {
				v.down = steadyMeter(1)
			}
			for _, width := range []int{40, 80, 160} {
				got := b.render(width, v)
				shape := fmt.Sprint(width, len(got))
				for _, mark := range []string{"%", "/s", "ETA", "up", "complete", "sent", "parts"} {
					shape += fmt.Sprint(" ", strings.Index(got, mark))
				}
				if want := shapes[width]; want == "" {
					shapes[width] = shape
				} else if shape != want {
					t.Errorf("%q is of the shape %s, others of %s", got, shape, want)
				}
			}
		}
	}
}

func TestPercentIsHonest(t *testing.T) {
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
		if got := (&view{tt.p, &meter{}, &meter{}, nil}).percent(); got != tt.want {
			t.Errorf("%d of %d: %d %%, want %d", tt.p.BytesDone, tt.p.Bytes, got, tt.want)
		}
	}
}
