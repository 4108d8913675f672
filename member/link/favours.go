package link

import (
	"slices"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// A client that has next to nothing has nothing to give for what it gets, and waits until somebody
// serves it all the same. So it may ask for a few parts while it is choked (BEP 6), always the same
// ones from one network: so much, and no more, comes of coming again and again. It may do so once
// for each part.

// favours are those that the peer is done.
type favours struct {
	done bool    // it was told of them
	left []int64 // bytes of each part of [Config.Favours] that it may still ask for while choked
}

// mostAllowed is how many parts a peer is heard to allow.
const mostAllowed = 64

// favour tells the peer which parts it may ask for, if it has few and is choked.
func (l *Link) favour() {
	if l.favours.done || !l.choking || l.has >= len(l.cfg.Favours) {
		return
	}
	l.favours.done = true
	for _, part := range l.cfg.Favours {
		l.left = append(l.left, l.partLen(part))
		l.Say(proto.AllowedFast{Part: part})
	}
}

// favoured reports whether the peer may ask for a range while it is choked. It may not once it has
// as many parts as it is allowed, or has asked for so much.
func (l *Link) favoured(r proto.Request) bool {
	if !l.favours.done || l.has >= len(l.cfg.Favours) {
		return false
	}
	i := slices.Index(l.cfg.Favours, r.Part)
	if i < 0 || l.left[i] < int64(r.Length) {
		return false
	}
	l.left[i] -= int64(r.Length)
	return true
}

// allowed takes in that the peer does this member such a favour.
func (l *Link) allowed(part uint32) {
	if l.allows < mostAllowed {
		l.allows++
		l.tell(swarm.Allowed{Peer: l.cfg.Peer, Part: part})
	}
}
