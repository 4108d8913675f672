package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"orchestra/member"
)

// What is said when, of a member whose state changes; each second is looked at once.
func TestTroubles(t *testing.T) {
	const down, up = "conductor host:9999 unreachable: no answer", "conductor host:9999"
	unreached := member.Progress{Conductor: down}
	reached := member.Progress{Conductor: up, ConductorUp: true}
	alone := reached
	alone.Known, alone.Unreachable = 1, true
	crowd := alone
	crowd.Known = 12
	linked := crowd
	linked.Members, linked.Unreachable = 1, false
	type stretch struct {
		seconds int
		member.Progress
	}
	for name, tt := range map[string]struct {
		stretches []stretch
		want      []string
	}{
		"all is well":    {[]stretch{{1000, linked}}, nil},
		"no conductor":   {[]stretch{{1000, member.Progress{}}}, nil},
		"a short outage": {[]stretch{{3, reached}, {2, unreached}, {20, reached}}, nil},
		"at the start": {[]stretch{{10, unreached}, {5, reached}}, []string{
			"3: warning: " + down + "; 0 members known; trying again", "10: " + up + " answers now",
		}},
		"a long outage": {[]stretch{{10, reached}, {400, unreached}, {5, reached}, {5, unreached}}, []string{
			"12: warning: " + down + "; 0 members known; trying again",
			"312: warning: " + down + "; 0 members known; trying again",
			"410: " + up + " answers now",
			"417: warning: " + down + "; 0 members known; trying again",
		}},
		"a firewall": {[]stretch{{5, reached}, {20, alone}}, []string{
			"5: warning: nobody can reach you, and the 1 member known cannot be reached; is a firewall in the way? --listen and --advertise set the address",
		}},
		"a firewall before many": {[]stretch{{5, reached}, {310, crowd}}, []string{
			"5: warning: nobody can reach you, and none of the 12 members known can be reached; is a firewall in the way? --listen and --advertise set the address",
			"305: warning: nobody can reach you, and none of the 12 members known can be reached; is a firewall in the way? --listen and --advertise set the address",
		}},
		"nobody is known": {[]stretch{{100, reached}}, nil},
	} {
		var all troubles
		var got []string
		second := 0
		for _, stretch := range tt.stretches {
			for range stretch.seconds {
				now := concertStart.Add(time.Duration(second) * time.Second)
				for _, line := range all.news(now, &view{stretch.Progress, &meter{}, &meter{}, nil}) {
					got = append(got, fmt.Sprintf("%d: %s", second, line))
				}
				second++
			}
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, tt.want)
		}
	}
}

// Why nothing comes is said when that begins, and again when it is something else, not too often.
func TestStallSaysWhy(t *testing.T) {
	var all troubles
	none, some := steadyMeter(0), steadyMeter(1000)
	for _, step := range []struct {
		second  int
		down    *meter
		waiting string
		want    string
	}{
		{0, some, "", ""},
		{1, some, "a blip", ""},
		{2, none, "", ""},
		{3, none, "nobody\x1b[2J has it", `stalled: nobody\x1b[2J has it`},
		{4, none, "nobody\x1b[2J has it", ""},
		{5, none, "all are full", ""},
		{33, none, "all are full", "stalled: all are full"},
		{34, some, "", ""},
		{35, none, "all are full", "stalled: all are full"},
		{99, none, strings.Repeat("é", 1000), "stalled: " + strings.Repeat("é", mostWords-3) + "..."},
	} {
		v := &view{member.Progress{Bytes: 1, Downloaded: 1, Waiting: step.waiting}, step.down, &meter{}, nil}
		if got := all.stall(concertStart.Add(time.Duration(step.second)*time.Second), v); got != step.want {
			t.Errorf("at %d s: %q, want %q", step.second, got, step.want)
		}
	}
}
