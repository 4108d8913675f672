package member

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Get gets the content, shares it while it does, and returns its path when it is complete and
// verified. It ends with the context; what is there by then is gone on with by the next one in the
// same folder. To share on, use [New] and [Member.Run]. The errors are those of both, and the
// context's.
func Get(ctx context.Context, cfg Config) (path string, err error) {
	run, stop := context.WithCancel(ctx)
	defer stop()
	told := cfg.OnComplete
	cfg.OnComplete = func(complete string) {
		if path = complete; told != nil {
			told(complete)
		}
		stop()
	}
	m, err := New(cfg)
	if err != nil {
		return "", err
	}
	if err := m.Run(run); err != nil { // it waits for OnComplete
		return "", err
	}
	switch {
	case path != "":
		return path, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s is not complete: %w", cfg.File.Name, context.Cause(ctx))
	}
	return "", errors.New("the member ended before the content was complete")
}

// An EventKind says what happened.
type EventKind int

// The kinds of events.
const (
	Progressed EventKind = iota // a second has passed; there is one at the start too
	Waits                       // nothing comes, or something does again, as Progress.Waiting says
	// a part that was there is bad or gone: the content is not complete any more
	Lost
	Completed // all is verified, and has its name
	Ended     // Run has returned, or is about to; the last one
)

// String returns the kind in a word.
func (k EventKind) String() string {
	switch k {
	case Progressed:
		return "progressed"
	case Waits:
		return "waits"
	case Lost:
		return "lost"
	case Completed:
		return "completed"
	case Ended:
		return "ended"
	}
	return fmt.Sprintf("EventKind(%d)", int(k))
}

// An Event is something that happened to a member, and how far it is then.
type Event struct {
	Kind     EventKind
	Progress Progress
}

// lookFor is how often it is looked whether something happened.
const lookFor = 100 * time.Millisecond

// Events tells what happens to a running member, until it ends or the context does; then the
// channel is closed. A receiver that is slow misses only Progressed events: the others wait for
// it, and nobody waits for the receiver but the goroutine that sends.
func (m *Member) Events(ctx context.Context) <-chan Event {
	out := make(chan Event, 1)
	go m.sendEvents(ctx, out)
	return out
}

func (m *Member) sendEvents(ctx context.Context, out chan<- Event) {
	defer close(out)
	tick := time.NewTicker(lookFor)
	defer tick.Stop()
	var last Progress
	var told time.Time // of the last Progressed
	for {
		now := m.Progress()
		ended := false
		select {
		case <-m.ended:
			now, ended = m.Progress(), true
		default:
		}
		for _, kind := range happened(&last, &now, ended) {
			select {
			case out <- Event{kind, now}:
			case <-ctx.Done():
				return
			}
		}
		if ended {
			return
		}
		last = now
		if time.Since(told) >= time.Second {
			select {
			case out <- Event{Progressed, now}:
				told = time.Now()
			default: // the one before is not taken yet
			}
		}
		select {
		case <-tick.C:
		case <-m.ended:
		case <-ctx.Done():
			return
		}
	}
}

// happened returns what lies between two looks, in order.
func happened(last, now *Progress, ended bool) []EventKind {
	var kinds []EventKind
	if now.Waiting != last.Waiting {
		kinds = append(kinds, Waits)
	}
	if last.Complete && !now.Complete {
		kinds = append(kinds, Lost)
	}
	if now.Complete && !last.Complete {
		kinds = append(kinds, Completed)
	}
	if ended {
		kinds = append(kinds, Ended)
	}
	return kinds
}
