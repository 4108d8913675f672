package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"
)

// The terminal owns what is seen on stderr and what is typed on stdin: the bar (one line, drawn
// over in place), the lines above it (log lines among them), and the key. Nothing else writes to
// stderr or changes the terminal's mode. Without a terminal there are only lines. Its methods may
// be called from any goroutine.
type terminal struct {
	in, out    *os.File
	isTerminal bool // out is one
	keyboard   keyboard
	lines      *bufio.Reader // of in, once a question was asked

	mu      sync.Mutex
	quiet   bool
	bar     string // as drawn; empty while there is none
	pending []byte // the start of a line whose end has not been written yet
}

// unknownWidth is taken for the width of a terminal that tells none.
const unknownWidth = 80

// toLineStart goes to the line's start and wipes it.
const toLineStart = "\r\x1b[K"

func newTerminal(in, out *os.File) *terminal {
	return &terminal{in: in, out: out, isTerminal: term.IsTerminal(int(out.Fd()))}
}

// canDraw reports whether a bar can be drawn: on a terminal that knows how to go back on a line.
func (t *terminal) canDraw() bool {
	return t.isTerminal && os.Getenv("TERM") != "dumb"
}

// hush keeps notes for people away from now on.
func (t *terminal) hush(quiet bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet = quiet
}

// note shows a line for people, unless they want quiet.
func (t *terminal) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.quiet {
		t.above([]byte(harmless(fmt.Sprintf(format, args...)) + "\n"))
	}
}

// line shows a line.
func (t *terminal) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.above([]byte(harmless(text) + "\n"))
}

// Write shows the lines of text as they are, above the bar: log lines, and what a command of the
// user's prints. A line without an end waits for it.
func (t *terminal) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending = append(t.pending, text...)
	if end := bytes.LastIndexByte(t.pending, '\n') + 1; end > 0 {
		t.above(t.pending[:end])
		t.pending = append(t.pending[:0], t.pending[end:]...)
	}
	return len(text), nil
}

// flush shows the line that Write keeps for want of an end.
func (t *terminal) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) > 0 {
		t.above(append(t.pending, '\n'))
		t.pending = t.pending[:0]
	}
}

// above writes whole lines where the bar stands and the bar under them. That stderr may be gone is
// no reason to stop.
func (t *terminal) above(lines []byte) {
	if t.bar != "" {
		lines = fmt.Appendf(nil, "%s%s%s", toLineStart, lines, t.bar)
	}
	_, _ = t.out.Write(lines)
}

// draw shows the bar that render makes for a width in columns, or makes it anew, and reports
// whether it did: in the background nothing is drawn.
func (t *terminal) draw(render func(width int) string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !isForeground(t.out) {
		t.bar = ""
		return false
	}
	t.bar = render(t.width())
	_, _ = t.out.WriteString(toLineStart + t.bar)
	return true
}

// width is how many columns a line may have: a full one would wrap.
func (t *terminal) width() int {
	width, _, err := term.GetSize(int(t.out.Fd()))
	if err != nil || width <= 0 {
		width = unknownWidth
	}
	return width - 1
}

// wipe takes the bar away.
func (t *terminal) wipe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wipeLocked()
}

func (t *terminal) wipeLocked() {
	if t.bar != "" {
		t.bar = ""
		_, _ = t.out.WriteString(toLineStart)
	}
}

// restore leaves the terminal as it was found. It may be called more than once.
func (t *terminal) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wipeLocked()
	t.keyboard.restore()
}

func (t *terminal) isQuiet() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.quiet
}

// aside lets something else write, to stdout, which may be the same terminal: the bar is out of its
// way.
func (t *terminal) aside(write func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wipeLocked()
	return write()
}

// restoreInPanic is deferred where a panic would leave the terminal as it is.
func (t *terminal) restoreInPanic() {
	if v := recover(); v != nil {
		t.restore()
		panic(v)
	}
}
