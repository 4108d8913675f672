package member

import (
	"net"
	"slices"
	"time"

	"orchestra/proto"
)

// maxComplaints is how many complaints wait for one conductor at most: it heeds eight of one
// member. What is more is not told.
const maxComplaints = 8

// complain tells every conductor of a peer that sent bad data, at once or when it is up again. It
// never waits.
func (m *Member) complain(bad proto.Complain) {
	for _, conductor := range m.complaints {
		select {
		case conductor <- bad:
		default:
		}
	}
}

// A complaint is one that was said to a conductor.
type complaint struct {
	bad  proto.Complain
	said time.Time
}

// sureAfter is how long a connection lives on after something was said until that has arrived: one
// that is dead is found to be so before.
const sureAfter = proto.SilenceTimeout

// sureNow forgets what has arrived by now: the connection lived on for long enough.
func (c *conductor) sureNow() {
	c.unsure = slices.DeleteFunc(c.unsure, func(done complaint) bool { return time.Since(done.said) >= sureAfter })
}

// complainAgain says what may not have arrived over the connection before. To hear it twice is the
// same to a conductor as to hear it once.
func (c *conductor) complainAgain(conn net.Conn) bool {
	for i := range c.unsure {
		c.unsure[i].said = time.Now()
		if !c.say(conn, c.unsure[i].bad) {
			return false
		}
	}
	return true
}
