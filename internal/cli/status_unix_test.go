//go:build linux || darwin

package cli

import "testing"

// On a terminal --watch draws one line over and over, as narrow as the terminal is, and leaves the
// last one.
func TestTerminalStatusWatch(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	watch := onTerminal(t, orchestra(t, "status", s.address, s.orch, "--watch"), 12)
	watch.until(`\r\x1b\[Kno members`, 0)
	s.join("original").untilComplete()
	at := watch.until(`\r\x1b\[K1 of 1 comp\r`, 0) // 11 columns
	watch.press("\x03")
	watch.until(`\r\x1b\[K1 of 1 complete\r\n`, at)
	watch.wantEnd(exitDone)
}
