package conduct

import (
	"time"

	"orchestra/conduct/page"
)

// Bounds of what is kept for the page.
const (
	maxHistories = 1024 // compositions of which it is kept how much moved when
	maxGone      = 50   // members that left, of one composition

	eventBurst = 50 // events of one composition at once, and then one each eventEvery
	eventEvery = time.Second / 4
)

// A scene is what the page tells of a composition beside what the registry decides by.
type scene struct {
	sent, received, origin uint64 // bytes that members moved; of those sent, by the first sharers
	size, partSize         uint64 // 0: not known

	history page.History
	kept    bool // the history counts among the maxHistories

	events  []page.Event
	last    uint64    // the latest event's number
	telling allowance // of events
	gone    []page.Member
	goneAll int // members that left before they were complete

	watch
}

// tell notes an event.
func (s *scene) tell(now time.Time, kind string, e *entry, text string) {
	if e.guest || !s.telling.draw(now, eventBurst, eventEvery) {
		return
	}
	s.last++
	if len(s.events) >= page.MaxEvents {
		s.events = append(s.events[:0], s.events[len(s.events)-page.MaxEvents+1:]...)
	}
	s.events = append(s.events, page.Event{
		ID: s.last, At: now.UnixMilli(), Kind: kind, Who: e.label, Addr: e.seat.from.Addr().String(), Text: text,
	})
}

// left notes a member that is listed no more. It may be on the page for a while yet.
func (s *scene) left(now time.Time, e *entry, why string) {
	if e.guest {
		return
	}
	if e.complete() {
		s.tell(now, "left", e, why)
		return
	}
	s.goneAll++
	s.tell(now, "gone", e, why)
	row := e.row(now)
	row.Now.State, row.Now.Down, row.Now.Up, row.Now.Left, row.Now.Why = page.Gone, 0, 0, -1, why
	if len(s.gone) >= maxGone {
		s.gone = append(s.gone[:0], s.gone[1:]...)
	}
	s.gone = append(s.gone, row)
}

// keepsHistory reports whether it is kept when how much of a composition moved: of so many that
// whoever makes up compositions does not use up the memory.
func (r *registry) keepsHistory(s *scene) bool {
	if !s.kept && r.histories < maxHistories {
		s.kept = true
		r.histories++
	}
	return s.kept
}

// endScene forgets a scene.
func (r *registry) endScene(s *scene) {
	if s.kept {
		s.kept = false
		r.histories--
	}
}
