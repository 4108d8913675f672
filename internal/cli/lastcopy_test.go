package cli

import (
	"context"
	"os"
	"testing"

	"orchestra/conduct"
	"orchestra/member"
)

// The only one that has everything is asked twice.
func TestLastCopy(t *testing.T) {
	only := member.Progress{Complete: true, Known: 2}
	one := only
	one.Known = 1
	alone := only
	alone.Known = 0
	not := only
	not.KnownComplete = 1
	missing := only
	missing.Complete = false
	q, signal := &stopError{by: "q"}, &stopError{by: "SIGINT"}
	for name, tt := range map[string]struct {
		progress member.Progress
		presses  int // until it ends; 0: a signal does
		cause    error
		says     string
	}{
		"the only one":           {only, 2, q, "warning: nobody else has everything, and 2 members still need it; q once more ends\n"},
		"the only one of two":    {one, 2, q, "warning: nobody else has everything, and the other member still needs it; q once more ends\n"},
		"by a signal":            {only, 0, signal, "warning: nobody else has everything, and 2 members still need it; join again to share it on\n"},
		"by a limit":             {only, 0, errEnough, ""},
		"by the command's end":   {only, 0, context.Canceled, ""},
		"nobody known":           {alone, 1, q, ""},
		"others have it":         {not, 1, q, ""},
		"others have it: killed": {not, 0, signal, ""},
		"it has not all itself":  {missing, 1, q, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			quits := 0
			c := &lastCopy{
				terminal: newTerminal(out, out),
				needed:   func() string { return needed(&tt.progress) },
				again:    "join again",
				quit:     func() { quits++ },
			}
			for n := range tt.presses {
				if c.pressed(); (quits > 0) != (n+1 == tt.presses) {
					t.Errorf("after %d presses: ends %v", n+1, quits > 0)
				}
			}
			c.ended(tt.cause)
			if said, err := os.ReadFile(out.Name()); err != nil || string(said) != tt.says {
				t.Errorf("it says %q, want %q; %v", said, tt.says, err)
			}
		})
	}
}

// Of who left when it was complete the conductor knows, and the member need not.
func TestNeededBy(t *testing.T) {
	p := &member.Progress{Complete: true, Known: 1}
	if text := neededBy(&conduct.Status{Complete: 2, Known: 2}, p); text != "" {
		t.Errorf("all are complete: %q", text)
	}
	if text := neededBy(&conduct.Status{Complete: 1, Known: 2, Pending: 1}, p); text == "" {
		t.Error("who lacks something does not need it")
	}
}
