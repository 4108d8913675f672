package swarm_test

import (
	"fmt"

	. "orchestra/member/swarm"
)

// tells is an effect as a trace has it: peers by their number in the simulation.
func (p *player) tells(e Effect) string {
	to := func(peer int) int { return p.ends[peer].far.me.n }
	switch e := e.(type) {
	case Dial:
		return fmt.Sprintf("dials %v", e.Addrs[0].Addr())
	case Drop:
		return fmt.Sprintf("drops %d: %s", to(e.Peer), e.Why)
	case Offer:
		return fmt.Sprintf("offers %d all=%v %x", to(e.Peer), e.All, e.Bits)
	case Announce:
		return fmt.Sprintf("has %d", e.Part)
	case SetInterest:
		return fmt.Sprintf("interested in %d: %v", to(e.Peer), e.On)
	case SetChoke:
		return fmt.Sprintf("chokes %d: %v", to(e.Peer), e.On)
	case Fetch:
		return fmt.Sprintf("asks %d for %d+%d", to(e.Peer), e.Run.Part, e.Run.Begin)
	case Cancel:
		return fmt.Sprintf("asks %d no more for %d+%d", to(e.Peer), e.Run.Part, e.Run.Begin)
	case Recall:
		return fmt.Sprintf("recalls %d+%d from %d", e.Run.Part, e.Run.Begin, to(e.Peer))
	case Grant:
		return fmt.Sprintf("grants %d %v", to(e.Peer), e.Parts)
	case Revoke:
		return fmt.Sprintf("takes its grants back from %d", to(e.Peer))
	case Dismiss:
		return fmt.Sprintf("dismisses %d", to(e.Peer))
	case Share:
		return fmt.Sprintf("shares %d", e.Down)
	case Chained:
		return fmt.Sprintf("in a chain: %v, hop %d", e.On, e.Hop)
	case Suggest:
		return fmt.Sprintf("suggests %d %v", to(e.Peer), e.Parts)
	case Refuse:
		return fmt.Sprintf("refuses %d %v", to(e.Peer), e.Parts)
	case Verify:
		return fmt.Sprintf("verifies %d", e.Part)
	case Finish:
		return "is complete"
	}
	return fmt.Sprintf("%T%+v", e, e)
}
