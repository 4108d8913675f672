package cli

import (
	"bufio"
	"context"
	"strings"
)

// ask shows a question where the bar would be, and returns the line that is typed. Whoever stops
// the program instead is not kept waiting: what reads the line ends with the program. Keys are read
// by nobody else meanwhile.
func (t *terminal) ask(ctx context.Context, question string) (string, error) {
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	if t.lines == nil {
		t.lines = bufio.NewReader(t.in)
	}
	go func() {
		text, err := t.lines.ReadString('\n')
		typed <- line{strings.TrimSpace(text), err}
	}()
	t.draw(func(width int) string { return fitted(question, width) })
	select {
	case l := <-typed:
		t.leave()
		return l.text, l.err
	case <-ctx.Done():
		t.wipe()
		return "", context.Cause(ctx)
	}
}

// leave leaves what is drawn where it stands: the end of the line that was typed is under it.
func (t *terminal) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar = ""
}
