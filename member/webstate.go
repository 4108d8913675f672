package member

import (
	"errors"
	"fmt"
	"time"

	"orchestra/member/origin"
)

// An Origin is a web server, or a bucket, that has the content, as far as this member has to do
// with it.
type Origin struct {
	ID       [20]byte
	Name     string // its host, or s3://BUCKET
	Received int64  // payload bytes from it in this run
	// Trouble says in words, which go behind its name, why it is not asked or sends nothing; empty
	// if nothing is wrong.
	Trouble string
	Again   time.Time // when it is asked again at the earliest; zero: it may be now
}

// Text says in one line what is wrong with it at now; empty if nothing is.
func (o *Origin) Text(now time.Time) string {
	if o.Trouble == "" {
		return ""
	}
	text := webName(o.Name) + " " + o.Trouble
	if left := o.Again.Sub(now); left > 0 {
		text += fmt.Sprintf("; it is asked again in %v", max(left.Round(time.Second), time.Second))
	}
	return text
}

// webName is how the user knows an origin.
func webName(host string) string { return "the web server " + host }

// toldFor is how long a trouble of an origin that came and went is not told again.
const toldFor = 5 * time.Minute

// webState is what became of asking an origin.
type webState struct {
	fails     int       // answers in a row that were of no use
	lacked    int       // files in a row that it did not give
	lacksTold int       // files that the user was told of
	until     time.Time // it is left alone until then
	trouble   string    // what was wrong last; empty when something came since
	came      bool      // something did, ever

	told     string // the trouble that the user was told of last
	toldAt   time.Time
	changeAt time.Time // when he was told last that a file was changed
}

// failed takes in at now that an answer was of no use, and returns how long the origin is left
// alone, and whether the user is to be told.
func (st *webState) failed(now time.Time, err error) (wait time.Duration, tell bool) {
	st.fails++
	doubled := min(st.fails-1, 10)
	wait, most := webFirst<<doubled, webMost
	if origin.IsRefusal(err) {
		wait, most = webRefused<<doubled, webRefusedMost
	}
	wait = min(wait, most)
	if status := (*origin.StatusError)(nil); errors.As(err, &status) {
		wait = max(wait, status.After)
	}
	st.until, st.trouble = now.Add(wait), err.Error()
	if tell = st.trouble != st.told || now.Sub(st.toldAt) >= toldFor; tell {
		st.told, st.toldAt = st.trouble, now
	}
	return wait, tell
}

// works takes in that something came, and reports whether that is the first time.
func (st *webState) works() (first bool) {
	first = !st.came
	st.fails, st.lacked, st.trouble, st.came = 0, 0, "", true
	return first
}

// failed ends the asking for a while, and tells the user why, once. To the core the origin leaves
// and comes again, so that it is asked as soon as the while is over.
func (w *webSource) failed(err error) {
	w.mu.Lock()
	if w.ended != nil { // the other worker met the same
		w.mu.Unlock()
		return
	}
	wait, tell := w.state.failed(time.Now(), err)
	w.mu.Unlock()
	w.close(err)
	if tell {
		w.m.cfg.Log.Warn().
			Msgf("%s %v; it is asked again in %v", w.name(), err, wait.Round(time.Second))
	}
}

// tellChange tells the user that the file at the origin was changed while it was asked for; not
// time and again, since servers behind one name may each have a state of their own.
func (w *webSource) tellChange() {
	if !w.from.TakeChange() {
		return
	}
	now := time.Now()
	w.mu.Lock()
	tell := now.Sub(w.state.changeAt) >= toldFor
	if tell {
		w.state.changeAt = now
	}
	w.mu.Unlock()
	if tell {
		w.m.cfg.Log.Warn().Msgf("the file at %s was changed since it was asked for first; what "+
			"does not verify is thrown away", w.name())
	}
}

// rest is how long the origin is left alone from now on.
func (w *webSource) rest(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if wait := w.state.until.Sub(now); wait > 0 {
		return wait
	}
	return webAgain // the core gave it up
}

// troubles is what is wrong with the origin, in words; empty: nothing.
func (w *webSource) troubles() string {
	if o := w.origin(); o.Trouble != "" {
		return w.name() + " " + o.Trouble
	}
	return ""
}

// origin is what others may see of it.
func (w *webSource) origin() Origin {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := Origin{
		ID: w.id, Name: w.from.Name(), Received: w.received.Load(),
		Trouble: w.state.trouble, Again: w.state.until,
	}
	if o.Trouble == "" {
		o.Trouble, o.Again = w.lackTrouble()
	}
	return o
}

// originsNow are the origins, as they are now; nil: there are none.
func (m *Member) originsNow() []Origin {
	var all []Origin
	for _, w := range m.origins {
		all = append(all, w.origin())
	}
	return all
}
