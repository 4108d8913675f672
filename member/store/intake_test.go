package store

import (
	"testing"
	"time"
)

// What is here of a part is asked for by who must not wait: it takes no lock, neither that of a
// part that is being written or verified nor that of the whole store.
func TestUptoDoesNotWait(t *testing.T) {
	shelf := newShelf(t, 2*testPart)
	s, err := shelf.open(false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(1, 0, shelf.content[testPart:testPart+300]); err != nil {
		t.Fatal(err)
	}
	in := s.intake(1)
	in.mu.Lock() // as a write does that the disk does not end
	defer in.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	told := make(chan int64, 1)
	go func() { told <- s.Upto(1) }()
	select {
	case n := <-told:
		if n != 300 {
			t.Errorf("%d bytes are here, want 300", n)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it waits for the disk")
	}
}
