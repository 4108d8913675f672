package member

import (
	"testing"

	"orchestra/proto"
)

// Where the system does not tell the round trip, the time until a member answers the handshake
// does. What it says then is not lost.
func TestAnswerToTheHandshakeIsKept(t *testing.T) {
	l, far := pair(t, randomBytes(1), Config{})
	if _, err := far.Write(proto.Append(nil, proto.HaveNone{})); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitAnswer(); err != nil || l.first != (proto.HaveNone{}) {
		t.Errorf("kept %v, %v", l.first, err)
	}
	l.first, l.terms.MaxRun = nil, 0
	if err := l.awaitAnswer(); err != nil || l.first != nil {
		t.Errorf("waits for a foreign client, which need not say anything: %v %v", l.first, err)
	}
}
