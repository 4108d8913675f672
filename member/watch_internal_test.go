package member

import (
	"testing"
	"time"

	"orchestra/member/store"
)

// A file that somebody writes to all the time is not read all the time, and told of now and then.
func TestRestlessFile(t *testing.T) {
	w := &watcher{
		Member: &Member{}, queued: map[uint32]bool{}, unread: map[uint32]bool{}, wait: unreadFirst,
		changed: map[string]restless{},
	}
	now := time.Now()
	said, read := 0, 0
	change := func() {
		said += len(w.takeChanges(now, []store.Change{{Path: "f", What: "was changed", Parts: []uint32{7}}}))
		read += len(w.queue)
		w.queue, w.queued = nil, map[uint32]bool{}
	}
	for range 60 {
		change()
		now = now.Add(time.Second)
	}
	if said != restlessTimes || read != restlessTimes || !w.unread[7] {
		t.Errorf("said %d times, read %d times, to be read later: %v", said, read, w.unread[7])
	}
	now = now.Add(restlessWithin)
	change()
	if said != restlessTimes+1 || read != restlessTimes+1 {
		t.Errorf("after a while: said %d times, read %d times", said, read)
	}
	w.again(time.Now().Add(unreadMost))
	if len(w.queue) != 1 {
		t.Errorf("what waits is not read: %v", w.queue)
	}
}
