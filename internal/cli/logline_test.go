package cli

import "testing"

func TestLineLog(t *testing.T) {
	for event, want := range map[string]string{
		`{"level":"warn","time":"2026-01-01T20:00:00Z","message":"cannot look up a member","error":"no such host","peer":"nowhere:1"}`: "warning: cannot look up a member: no such host (peer nowhere:1)",

		`{"level":"info","message":"part 3 of music verifies again and is shared"}`: "part 3 of music verifies again and is shared",

		`{"level":"error","message":"it ends"}`: "error: it ends",

		`{"level":"warn","message":"more files","files":12345678,"first":["a","b c"],"path":"album"}`: "warning: more files (files 12345678, first a b c, path album)",

		`{"level":"warn","message":"\u001b[2J","error":"two\nlines"}`: `warning: \x1b[2J: two\nlines`,

		`{"level":"warn"}`: "warning: ",

		"no JSON": "no JSON",
	} {
		if got := harmless(lineOf([]byte(event + "\n"))); got != want {
			t.Errorf("%s:\ngot  %q\nwant %q", event, got, want)
		}
	}
}
