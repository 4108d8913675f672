package member

import (
	"fmt"
	"slices"
	"time"

	"orchestra/member/store"
)

// Parts that fail come in crowds, and the user is to hear of each: those of a kind wait for each
// other, and the next line of the kind comes later each time.
const (
	noticeSoon  = 500 * time.Millisecond
	noticeFirst = 15 * time.Second // from a line to the next one
	noticeMost  = 10 * time.Minute
	noticeKinds = 64 // more are one kind
)

// notices are lines about parts that are gathered before the user hears of them. The loop owns
// them.
type notices struct {
	kinds map[string]*notice
}

// notice gathers the parts of one kind.
type notice struct {
	parts []int
	due   time.Time // of the line for them, or since when the next one may come
	wait  time.Duration
	say   func(parts []int)
}

// add takes a part in that is to be told of, by a function that does so for all of its kind.
func (n *notices) add(now time.Time, kind string, part uint32, say func(parts []int)) {
	if n.kinds[kind] == nil && len(n.kinds) >= noticeKinds {
		kind = ""
	}
	k := n.kinds[kind]
	if k == nil {
		k = &notice{due: now, wait: noticeFirst}
		if n.kinds == nil {
			n.kinds = map[string]*notice{}
		}
		n.kinds[kind] = k
	}
	if len(k.parts) == 0 && k.due.Before(now.Add(noticeSoon)) {
		k.due = now.Add(noticeSoon)
	}
	k.parts, k.say = append(k.parts, int(part)), say
}

// next is when tell has something to do; the zero time if never.
func (n *notices) next() (at time.Time) {
	for _, k := range n.kinds {
		if len(k.parts) > 0 && (at.IsZero() || k.due.Before(at)) {
			at = k.due
		}
	}
	return at
}

// tell tells what is due, and forgets the kinds of which nothing came for long.
func (n *notices) tell(now time.Time) {
	for kind, k := range n.kinds {
		switch {
		case now.Before(k.due):
		case len(k.parts) == 0:
			if now.Sub(k.due) >= k.wait {
				delete(n.kinds, kind)
			}
		default:
			k.flush()
			k.due = now.Add(k.wait)
			k.wait = min(2*k.wait, noticeMost)
		}
	}
}

// flush tells at once what waits.
func (k *notice) flush() {
	if len(k.parts) > 0 {
		slices.Sort(k.parts)
		k.say(slices.Compact(k.parts))
		k.parts = nil
	}
}

// end tells what still waits.
func (n *notices) end() {
	for _, k := range n.kinds {
		k.flush()
	}
}

// these names parts, with their number where they are many: "part 100", "2 parts (3, 9)".
func these(parts []int) string {
	if len(parts) == 1 {
		return fmt.Sprintf("part %d", parts[0])
	}
	return fmt.Sprintf("%d parts (%s)", len(parts), store.Ranges(parts))
}

// one chooses between the words for one part and for several.
func one(parts []int, single, several string) string {
	if len(parts) == 1 {
		return single
	}
	return several
}
