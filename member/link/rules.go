package link

import (
	"errors"
	"fmt"
	"math/bits"

	"orchestra/proto"
)

// What BEP 3 and BEP 6 forbid ends the link, whoever does it: what follows of it cannot be right
// either. Who says what is not so, and says it as it may, is heard.

// statement is what the peer has said of its parts.
type statement struct {
	made  bool // bitfield, have all or have none
	anew  bool // the last one of these was not the first, or late
	later bool // it said something that comes after that
	has   int  // parts, those that it named twice counted twice
}

var errNothing = errors.New("it says that it has nothing, after it said other things (BEP 6)")

// obeys takes in what a message says of the order of things.
func (l *Link) obeys(msg proto.Message) error {
	switch msg := msg.(type) {
	case proto.HaveAll:
		l.states(int(l.parts))
		return l.knowsFast("have all")
	case proto.HaveNone:
		if l.states(0); l.anew {
			return errNothing
		}
		return l.knowsFast("have none")
	case proto.Bitfield:
		l.states(ones(msg.Bits))
		return nil
	case proto.Extended, proto.KeepAlive, proto.Port, proto.Unknown:
		return nil // at any time
	}
	l.later = true
	switch msg := msg.(type) {
	case proto.Have:
		l.has++
		return l.inRange("it has", msg.Part)
	case proto.Suggest:
		if err := l.knowsFast("suggest"); err != nil {
			return err
		}
		return l.inRange("it suggests", msg.Part)
	case proto.AllowedFast:
		if err := l.knowsFast("allowed fast"); err != nil {
			return err
		}
		return l.inRange("it allows", msg.Part)
	case proto.Reject:
		return l.knowsFast("reject")
	}
	return nil
}

// states takes in that the peer says how many parts it has. It ought to do so once, and before
// others. But aria2 sends a bitfield, or have all, in the place of many a have, so a later one
// counts for what it adds, and costs the peer something ([Link.repeats]).
func (l *Link) states(has int) {
	l.anew = l.made || l.later
	l.made, l.has = true, max(l.has, has)
}

// knowsFast is an error if a message is of BEP 6 and the peer does not know that.
func (l *Link) knowsFast(what string) error {
	if l.cfg.Fast {
		return nil
	}
	return fmt.Errorf("it says %s, and did not say that it knows that (BEP 6)", what)
}

// inRange is an error if there is no such part.
func (l *Link) inRange(what string, part uint32) error {
	if part < l.parts {
		return nil
	}
	return fmt.Errorf("%s part %d of %d", what, part, l.parts)
}

// ones counts the bits that are set.
func ones(field []byte) (n int) {
	for _, b := range field {
		n += bits.OnesCount8(b)
	}
	return n
}
