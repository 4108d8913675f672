package member

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"orchestra/member/swarm"
)

// lookEvery is how often it is looked whether anything comes, and restEvery where nothing is to
// come and nobody is connected: what happens has it looked at sooner.
const (
	lookEvery = time.Second
	restEvery = time.Minute
)

// lookAgain is how long it takes until the next look.
func (d *director) lookAgain() time.Duration {
	if p := d.Progress(); p.Complete && p.Members == 0 && p.Known == 0 {
		return restEvery
	}
	return lookEvery
}

// explain notes why nothing comes, if nothing does, and what else takes a look at all that is
// known.
func (d *director) explain() {
	now := d.now()
	facts := waiting{
		Waiting: d.core.Waiting(now), conductors: len(d.states),
		origins: d.originTroubles(), whoIs: d.whoIs, hitch: d.hitch,
	}
	d.nowhere(facts.Waiting)
	complete, alone := d.core.Complete(), d.core.Alone(now)
	d.update(func(p *Progress) {
		facts.up, facts.conductor = p.ConductorUp, p.Conductor
		p.Waiting = ""
		switch {
		case p.Checking || p.Complete:
		case p.Paused != "":
			p.Waiting = p.Paused
		default:
			p.Waiting = facts.text()
		}
		p.KnownComplete = complete
		p.Unreachable = alone && !p.Dialled
	})
}

// waiting is what is known of why nothing comes, and the text of it.
type waiting struct {
	swarm.Waiting
	conductors int    // there are
	up         bool   // one of them at least
	conductor  string // why none is, in words
	hitch      string // what the disk did not do last, and is tried again

	origins []string                      // what is wrong with web servers, in words
	whoIs   func(a netip.AddrPort) string // names a peer
}

// text says in one line why nothing comes; empty if something does. All words are this program's
// own, but for what a conductor gave as the reason of its refusal, which is quoted.
func (w waiting) text() string {
	switch {
	case w.Missing == 0 && w.hitch != "":
		return w.hitch + "; it is tried again"
	case w.Missing == 0:
		return ""
	case w.Held == w.Missing:
		return w.held()
	case w.Links == 0:
		return strings.Join(append(w.origins, "connected to nobody: "+w.nobody()), "; ")
	}
	reasons := w.origins
	if w.Nowhere > 0 {
		reasons = append(reasons, w.nowhere())
	}
	if w.Held > 0 {
		reasons = append(reasons, w.held())
	}
	if w.Bad > 0 {
		reasons = append(reasons, fmt.Sprintf("%s last bad from %s", came(w.Bad), w.who(w.BadFrom)))
	}
	if w.Holders > 0 {
		reasons = append(reasons, w.holders())
	}
	if w.Nowhere > 0 && w.Holders == 0 {
		if why := w.apart(); why != "" {
			reasons = append(reasons, why)
		}
	}
	return strings.Join(reasons, "; ")
}

// who is how the user knows who is at an address.
func (w waiting) who(a netip.AddrPort) string {
	if w.whoIs != nil && a.Port() == 0 {
		return w.whoIs(a)
	}
	return hostWords(a)
}

// held says what the disk does not take.
func (w waiting) held() string {
	text := fmt.Sprintf("this disk did not take %d of the %d parts that are missing; they are tried again", w.Held, w.Missing)
	switch {
	case w.Held == 1 && w.Missing == 1:
		text = "this disk did not take the part that is missing; it is tried again"
	case w.Held == w.Missing:
		text = fmt.Sprintf("this disk did not take the %d parts that are missing; they are tried again", w.Held)
	}
	if w.hitch != "" {
		text += " (" + w.hitch + ")"
	}
	return text
}

// nobody says why this member is connected to nobody.
func (w waiting) nobody() string {
	known := w.apart()
	switch {
	case known != "":
		return known
	case w.conductors == 0:
		return "no other member is known; --peer names one"
	case w.up:
		return "the conductor knows nobody else who has it now"
	case w.conductor != "":
		return "no other member is known, and " + w.conductor
	}
	return "no other member is known yet"
}

// apart says what of those who are known and not connected; empty if there are none.
func (w waiting) apart() string {
	switch {
	case w.Silent == 0 && w.Untried == 0:
		return ""
	case w.Silent == 0:
		return fmt.Sprintf("%s known, not reached yet", are(w.Untried, "other member"))
	case w.Silent == 1:
		return whereWords(w.Fault, w.Where)
	}
	return fmt.Sprintf("none of %d other members can be reached; %s", w.Silent, whereWords(w.Fault, w.Where))
}

// nowhere says what nobody connected has, and who had it.
func (w waiting) nowhere() string {
	var text string
	switch {
	case w.Nowhere == 1 && w.Missing == 1:
		text = "nobody connected has the part that is missing"
	case w.Nowhere == w.Missing:
		text = fmt.Sprintf("nobody connected has any of the %d parts that are missing", w.Missing)
	default:
		text = fmt.Sprintf("nobody connected has %d of the %d parts that are missing", w.Nowhere, w.Missing)
	}
	if !w.HadBy.IsValid() {
		return text
	}
	switch {
	case w.Nowhere == 1:
		return text + "; " + hostWords(w.HadBy) + " had it and left"
	case w.Had == w.Nowhere:
		return text + "; " + hostWords(w.HadBy) + " had them and left"
	}
	return text + fmt.Sprintf("; %s had %d of them and left", hostWords(w.HadBy), w.Had)
}

// holders says why those do not send who have some of what is missing.
func (w waiting) holders() string {
	var kinds []string
	for _, kind := range []struct {
		n         int
		one, more string
	}{
		{w.Choking, "lets nobody in now", "let nobody in now"},
		{w.Busy, "is busy with others", "are busy with others"},
		{w.Mute, "stopped in the middle of a part", "stopped in the middle of a part"},
		{w.Deaf, "does not answer any more", "do not answer any more"},
	} {
		switch {
		case kind.n == w.Holders && kind.n == 1:
			return "the one member that has missing parts " + kind.one
		case kind.n == w.Holders:
			return fmt.Sprintf("all %d members that have missing parts %s", kind.n, kind.more)
		case kind.n == 1:
			kinds = append(kinds, "1 "+kind.one)
		case kind.n > 1:
			kinds = append(kinds, fmt.Sprintf("%d %s", kind.n, kind.more))
		}
	}
	return fmt.Sprintf("of %d members that have missing parts %s", w.Holders, strings.Join(kinds, ", "))
}

// are counts things, with the verb.
func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

// came counts parts that came, with the verb.
func came(parts int) string {
	if parts == 1 {
		return "1 part came"
	}
	return fmt.Sprintf("%d parts came", parts)
}

// hostWords is an address, or a host where the port is not known.
func hostWords(a netip.AddrPort) string {
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}

// whereWords says what came of dialling a member.
func whereWords(fault swarm.Fault, where netip.AddrPort) string {
	at := hostWords(where)
	switch fault {
	case swarm.NoAnswer:
		return at + " does not answer"
	case swarm.NoWay:
		return "the network has no way to " + at
	case swarm.NobodyListens:
		return "nothing listens at " + at
	case swarm.Another:
		return "at " + at + " another member answers than was there before"
	case swarm.HangsUp:
		return at + " ends the connection at once: it shares something else, or turns this member away"
	case swarm.OtherContent:
		return at + " shares something else"
	case swarm.OtherKey:
		return at + " does not have the key of this private swarm"
	case swarm.SomethingElse:
		return "what answers at " + at + " is no member"
	case swarm.Web:
		return at + " answers like a web server, not like a member"
	case swarm.Conducts:
		return "a conductor answers at " + at + ", and no member"
	case swarm.Tracker:
		return at + " answers like a BitTorrent tracker, not like a member"
	case swarm.Encrypted:
		return at + " wants encryption of a kind that Orchestra does not speak"
	}
	return at + " cannot be reached"
}
