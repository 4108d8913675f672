package page

import "time"

// The steps of a History.
const (
	minutesStep, minutesPoints = 2, 150 // five minutes
	hourStep, hourPoints       = 20, 180
)

// tailSpan is how far back a change of a history reaches, in seconds: what members report is
// spread over the time since their last report.
const tailSpan = 40

// A History is how much moved in the last five minutes and in the last hour. Its zero value is
// empty and takes no memory until something moves.
type History struct {
	minutes, hour *ring
}

// Add takes in that so many bytes moved between two times, evenly.
func (h *History) Add(from, to time.Time, total, origin int64) {
	if total <= 0 && origin <= 0 {
		return
	}
	if h.minutes == nil {
		h.minutes, h.hour = newRing(minutesStep, minutesPoints), newRing(hourStep, hourPoints)
	}
	h.minutes.add(from, to, total, origin)
	h.hour.add(from, to, total, origin)
}

// Empty reports whether nothing ever moved.
func (h *History) Empty() bool { return h.minutes == nil }

// Series returns both spans, which end now.
func (h *History) Series(now time.Time) (minutes, hour Series) {
	if h.minutes == nil {
		return Series{Step: minutesStep}, Series{Step: hourStep}
	}
	return h.minutes.series(now), h.hour.series(now)
}

// A ring has the bytes of the last so many steps.
type ring struct {
	step   int64
	head   int64 // the step that is written, of Unix time
	points []point
}

type point struct{ total, origin int64 }

func newRing(step int64, points int) *ring { return &ring{step: step, points: make([]point, points)} }

// advance makes room up to a step.
func (r *ring) advance(to int64) {
	n := int64(len(r.points))
	if to-r.head >= n {
		clear(r.points)
	} else {
		for at := r.head + 1; at <= to; at++ {
			r.points[at%n] = point{}
		}
	}
	r.head = max(r.head, to)
}

func (r *ring) add(from, to time.Time, total, origin int64) {
	step := time.Duration(r.step) * time.Second
	last := to.UnixNano() / int64(step)
	r.advance(last)
	first := max(from.UnixNano()/int64(step), r.head-int64(len(r.points))+1)
	if first > last {
		return // a clock that was set back
	}
	span := float64(to.Sub(from))
	for at := last; at >= first; at-- {
		share := 1.0
		if span > 0 {
			begin, end := max(at*int64(step), from.UnixNano()), min((at+1)*int64(step), to.UnixNano())
			share = float64(end-begin) / span
		}
		p := &r.points[at%int64(len(r.points))]
		p.total += int64(float64(total) * share)
		p.origin += int64(float64(origin) * share)
	}
}

// series returns the points that are over, and the one that is not.
func (r *ring) series(now time.Time) Series {
	r.advance(now.Unix() / r.step)
	n := int64(len(r.points))
	s := Series{
		Step: r.step, Start: (r.head - n + 1) * r.step,
		Total: make([]int64, n), Origin: make([]int64, n),
	}
	for i := range n {
		p, span := r.points[(r.head-n+1+i)%n], r.step
		if i == n-1 {
			span = max(1, now.Unix()-r.head*r.step)
		}
		s.Total[i], s.Origin[i] = p.total/span, p.origin/span
	}
	return s
}

// tail is what of a series may differ from what it was a second ago.
func (s Series) tail() Series {
	n := min(len(s.Total), int(tailSpan/max(s.Step, 1))+2)
	from := len(s.Total) - n
	return Series{
		Step: s.Step, Start: s.Start + int64(from)*s.Step,
		Total: s.Total[from:], Origin: s.Origin[from:],
	}
}
