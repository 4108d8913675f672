package cli

import (
	"fmt"
	"time"
)

// slowProgress makes the progress of reading content visible when it takes longer than a second: a
// line that is drawn over on a terminal, a line each ten seconds elsewhere. What it returns is
// called from one goroutine.
func slowProgress(t *terminal, doing string) func(done, total int64) {
	const first, again = time.Second, 10 * time.Second
	start := time.Now()
	said := start.Add(first - again)
	return func(done, total int64) {
		now := time.Now()
		if now.Sub(start) < first || total <= 0 {
			return
		}
		text := fmt.Sprintf("%s: %s of %s (%d %%)",
			doing, bytesText(done), bytesText(total), 100*done/total)
		switch {
		case t.isQuiet():
		case t.canDraw():
			t.draw(func(width int) string { return fitted(text, width) })
		case now.Sub(said) >= again:
			said = now
			t.note("%s", text)
		}
	}
}
