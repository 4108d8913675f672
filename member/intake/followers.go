package intake

import (
	"slices"
	"sync"
	"sync/atomic"
)

// followers are who waits for more of a part. Nobody waits while holding mu.
type followers struct {
	any  atomic.Bool // there are some
	mu   sync.Mutex
	part map[uint32][]chan<- struct{}
}

func (f *followers) add(part uint32, wake chan<- struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.part == nil {
		f.part = map[uint32][]chan<- struct{}{}
	}
	if !slices.Contains(f.part[part], wake) {
		f.part[part] = append(f.part[part], wake)
	}
	f.any.Store(true)
}

// wake wakes those of a part.
func (f *followers) wake(part uint32) {
	if !f.any.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(part)
}

// end wakes those of a part for the last time.
func (f *followers) end(part uint32) {
	if !f.any.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(part)
	delete(f.part, part)
	f.any.Store(len(f.part) > 0)
}

func (f *followers) tell(part uint32) {
	for _, wake := range f.part[part] {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}
