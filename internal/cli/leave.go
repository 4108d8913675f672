package cli

import (
	"errors"
	"fmt"

	"orchestra/member"
)

// A leave is the end of a join that its user asks for. The only member that has everything is asked
// twice by q, which is pressed easily; a signal ends it at once, with a word.
type leave struct {
	terminal *terminal
	progress func() member.Progress
	quit     func()
	warned   bool // by the key's goroutine; read when that has ended
}

// pressed is the q key.
func (l *leave) pressed() {
	progress := l.progress()
	if text := needed(&progress); text != "" && !l.warned {
		l.warned = true
		l.terminal.note("warning: %s; q once more ends", text)
		return
	}
	l.quit()
}

// left says at the end, which has come by cause, what the one who ended it may not have known.
func (l *leave) left(cause error, progress member.Progress) {
	var stop *stopError
	if text := needed(&progress); text != "" && !l.warned && errors.As(cause, &stop) {
		l.terminal.note("warning: %s; join again to share it on", text)
	}
}

// needed says who still needs this member, if it is the only one known to have everything; empty if
// nobody does.
func needed(p *member.Progress) string {
	if !p.Complete || p.KnownComplete > 0 || p.Known == 0 {
		return ""
	}
	if p.Known == 1 {
		return "nobody else has everything, and the other member still needs it"
	}
	return fmt.Sprintf("nobody else has everything, and %d members still need it", p.Known)
}
