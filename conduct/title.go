package conduct

import (
	"net/netip"
	"time"
)

// titlesSeen is how many members a composition is asked for its title, at most.
const titlesSeen = 256

// A title is what members call the content of a composition. Any of them may say
// anything, so it is the one that members from the most sources told at one
// time, and of equals the one that came first. Whoever comes alone, or late, or
// when the others have left, cannot rename what others named.
type title struct {
	text   string
	voices int       // sources that told it, at the time when most did
	at     time.Time // when it was last asked for
}

// called takes what a newcomer calls the content, and returns it, in the memory
// of the title if it is the same.
func (c *composition) called(now time.Time, text string) string {
	switch {
	case text == "":
	case c.title.text == "":
		c.title = title{text: text, voices: 1, at: now}
	case now.Sub(c.title.at) >= surveyEvery:
		c.retitle(now)
	}
	if text == c.title.text {
		return c.title.text
	}
	return text
}

// retitle asks the members that are listed, or many of them at random, what the
// content is called.
func (c *composition) retitle(now time.Time) {
	c.title.at = now
	type voice struct {
		source netip.Addr
		text   string
	}
	heard := make(map[voice]struct{})
	voices := make(map[string]int)
	first := make(map[string]link)
	for _, e := range c.entries[:min(len(c.entries), titlesSeen)] {
		v := voice{source(e.seat.from.Addr()), e.title}
		if _, again := heard[v]; again || e.title == "" {
			continue
		}
		heard[v] = struct{}{}
		voices[e.title]++
		if l, ok := first[e.title]; !ok || e.link < l {
			first[e.title] = e.link
		}
	}
	best := ""
	for text, n := range voices {
		if best == "" || n > voices[best] || n == voices[best] && first[text] < first[best] {
			best = text
		}
	}
	switch {
	case voices[best] > c.title.voices:
		c.title.text, c.title.voices = best, voices[best]
	case c.title.text != "" && voices[c.title.text] > c.title.voices:
		c.title.voices = voices[c.title.text]
	}
}
