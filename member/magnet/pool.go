package magnet

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	candidatesMost = 500
	againFirst     = 5 * time.Second // until one that failed is asked again; longer each time
	againMost      = 5 * time.Minute
)

// candidate is somebody who may have the description.
type candidate struct {
	at    string // HOST:PORT
	busy  bool
	fails int
	after time.Time // not to be asked before
}

// pool is who is known, and what came of asking. Its methods may be called by several goroutines.
type pool struct {
	changed chan struct{} // somebody may be asked now, or is asked no more

	mu       sync.Mutex
	list     []*candidate
	busy     int
	giving   int    // peers that said that they have the description, and are connected
	why      string // of the one that failed last
	trackers map[string]string
	order    []string // of those
}

func newPool() pool {
	return pool{changed: make(chan struct{}, 1), trackers: map[string]string{}}
}

func (p *pool) rouse() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// add takes in an address, if it is new and there is room.
func (p *pool) add(at string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := func(c *candidate) bool { return c.at == at }
	if len(p.list) >= candidatesMost || slices.ContainsFunc(p.list, known) {
		return
	}
	p.list = append(p.list, &candidate{at: at})
	p.rouse()
}

// next takes who is to be asked now; nil: nobody is.
func (p *pool) next(now time.Time) *candidate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy >= sessionsMost {
		return nil
	}
	var best *candidate
	for _, c := range p.list {
		if !c.busy && !now.Before(c.after) && (best == nil || c.fails < best.fails) {
			best = c
		}
	}
	if best != nil {
		best.busy = true
		p.busy++
	}
	return best
}

// crowded reports whether somebody waits for a place.
func (p *pool) crowded(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy >= sessionsMost && slices.ContainsFunc(p.list, func(c *candidate) bool {
		return !c.busy && !now.Before(c.after)
	})
}

// due is when next has somebody, if nothing changes, or latest.
func (p *pool) due(latest time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy >= sessionsMost {
		return latest
	}
	for _, c := range p.list {
		if !c.busy && c.after.Before(latest) {
			latest = c.after
		}
	}
	return latest
}

// ended takes in what came of asking somebody.
func (p *pool) ended(c *candidate, now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.busy = false
	p.busy--
	if err != nil {
		p.why = c.at + " " + words(err)
	}
	c.after = now.Add(min(againFirst<<min(c.fails, 10), againMost))
	c.fails++
	p.rouse()
}

// gives notes that n more peers have the description and are connected.
func (p *pool) gives(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giving += n
}

// says takes in how a tracker is.
func (p *pool) says(tracker, words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.trackers[tracker]; !ok {
		p.order = append(p.order, tracker)
	}
	p.trackers[tracker] = words
}

// line says how the search goes.
func (p *pool) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.giving > 0:
		return "fetching the description from " + peers(p.giving)
	case len(p.list) > 0 && p.why == "":
		return "asking " + peers(len(p.list)) + " for the description"
	case len(p.list) > 0:
		return fmt.Sprintf("waiting for the description: nobody gives it, of %s known; %s",
			peers(len(p.list)), p.why)
	case len(p.order) == 0:
		return "waiting for the description: the trackers have not answered yet"
	case len(p.order) == 1:
		return "waiting for the description: tracker " + p.order[0] + " " + p.trackers[p.order[0]]
	}
	return fmt.Sprintf("waiting for the description: %d trackers tell of nobody; %s %s",
		len(p.order), p.order[0], p.trackers[p.order[0]])
}

func peers(n int) string {
	if n == 1 {
		return "1 peer"
	}
	return fmt.Sprintf("%d peers", n)
}
