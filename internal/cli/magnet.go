package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orchestra/member/magnet"
	"orchestra/orch"
)

// A meeting is where the user said that others are, for who has a magnet link alone, and how long
// nothing may come from them.
type meeting struct {
	conductors, peers []string
	patience          time.Duration // 0: without end
}

// openMagnet gets the description that a magnet link stands for from others. It waits for them
// until the command is stopped.
func (p *program) openMagnet(ctx context.Context, link string, at meeting) (source, error) {
	m, err := orch.ParseMagnet(link)
	if err != nil {
		return source{}, withCode(exitInput, err)
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if at.patience > 0 {
		limited, cancel = context.WithTimeout(ctx, at.patience)
	}
	defer cancel()
	said := ""
	f, err := magnet.Fetch(limited, magnet.Config{
		Magnet: m, Conductors: at.conductors, Peers: at.peers, Log: p.log,
		Tell: func(line string) {
			said = line
			p.terminal.note("%s", line)
		},
	})
	switch {
	case ctx.Err() != nil:
		return source{}, stopped(ctx, "the description did not come")
	case limited.Err() != nil:
		return source{}, withCode(exitStalled,
			fmt.Errorf("the description did not come for %s%s", timeText(at.patience), because(said)))
	case errors.Is(err, magnet.ErrNowhere):
		return source{}, withCode(exitInput, fmt.Errorf("%w; join, get and import "+
			"ask at --conductor HOST:PORT and --peer HOST:PORT", err))
	case err != nil:
		return source{}, withCode(exitInput, err)
	}
	s := source{file: f, peers: m.Peers}
	if s.chosen = chosenBy(m, f); s.chosen != nil {
		p.terminal.note("the magnet link chooses %d of %d files", len(s.chosen), len(f.Entries()))
	}
	return s, nil
}

// chosenBy gives the paths of the files that a link chooses (BEP 53); nil: all of them, or none
// that there is.
func chosenBy(m *orch.Magnet, f *orch.File) []string {
	var paths []string
	all, seen := f.Paths(), map[string]bool{"": true} // pads have no path
	for _, span := range m.Only {
		for i := span.First; i <= min(span.Last, len(all)-1); i++ {
			if !seen[all[i]] {
				seen[all[i]] = true
				paths = append(paths, all[i])
			}
		}
	}
	return paths
}
