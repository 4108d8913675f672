package cli

import (
	"errors"
	"fmt"

	"orchestra/conduct"
	"orchestra/member"
)

// A lastCopy keeps the user of a join from ending the only member that has everything without
// knowing it. It takes two presses of q, which happens easily; a signal ends the join at once, with
// a word.
type lastCopy struct {
	terminal *terminal
	needed   func() string // who still needs this member, see needed
	again    string        // what to do then
	quit     func()
	warned   bool // written by whoever reads the key, and read when that has ended
}

// pressed is called when q is.
func (c *lastCopy) pressed() {
	if text := c.needed(); text != "" && !c.warned {
		c.warned = true
		c.terminal.note("warning: %s; q once more ends", text)
		return
	}
	c.quit()
}

// ended is called when the join has ended, by cause.
func (c *lastCopy) ended(cause error) {
	var stop *stopError
	if text := c.needed(); text != "" && !c.warned && errors.As(cause, &stop) {
		c.terminal.note("warning: %s; %s to share it on", text, c.again)
	}
}

// neededBy is needed where the conductor's word is at hand, which knows of those who left after
// they were complete. Nobody tells the member of them.
func neededBy(s *conduct.Status, p *member.Progress) string {
	if s.Pending == 0 {
		return ""
	}
	return needed(p)
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
