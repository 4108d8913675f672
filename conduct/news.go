package conduct

import (
	"encoding/hex"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Of each kind of news so many lines are logged in each period, and at its end
// how many more there were: a flood of strangers is no flood of lines.
const (
	newsBurst  = 10
	newsPeriod = time.Minute
)

// The kinds of news. The words are the lines'.
const (
	newsFirst    = "first member of a composition"
	newsComplete = "first complete copy of a composition"
	newsRefused  = "refused"
	newsAway     = "turned away: too many connections"
)

// news logs what whoever runs the conductor wants to know at once and strangers
// can cause. It is used by many goroutines.
type news struct {
	log zerolog.Logger

	mu    sync.Mutex
	kinds map[string]*newsKind
}

type newsKind struct {
	since time.Time // the period's begin
	count int       // in it
}

func newNews(log zerolog.Logger) *news {
	return &news{log: log, kinds: make(map[string]*newsKind)}
}

// tell logs a line, with what details adds to it.
func (n *news) tell(now time.Time, what string, details func(*zerolog.Event)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.kinds[what]
	if k == nil {
		k = &newsKind{since: now}
		n.kinds[what] = k
	}
	n.close(now, what, k)
	if k.count++; k.count > newsBurst {
		return
	}
	line := n.log.Info()
	details(line)
	line.Msg(what)
}

// sum logs how many more there were in the periods that are over.
func (n *news) sum(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for what, k := range n.kinds {
		n.close(now, what, k)
	}
}

func (n *news) close(now time.Time, what string, k *newsKind) {
	if now.Sub(k.since) < newsPeriod {
		return
	}
	if more := k.count - newsBurst; more > 0 {
		n.log.Info().Int("times", more).Msg(what + ", and others")
	}
	k.since, k.count = now, 0
}

// refused tells that somebody was refused, or its composition.
func (n *news) refused(from netip.AddrPort, id [20]byte, why string) {
	n.tell(time.Now(), newsRefused, func(line *zerolog.Event) {
		line.Str("from", from.String()).
			Str("composition", hex.EncodeToString(id[:])).
			Str("why", why)
	})
}

// turnedAway tells that a connection was not taken.
func (n *news) turnedAway(from netip.AddrPort) {
	n.tell(time.Now(), newsAway, func(line *zerolog.Event) { line.Str("from", from.String()) })
}

// noted tells what the registry noted.
func (n *news) noted(now time.Time, eff note) {
	details := func(line *zerolog.Event) {
		line.Str("from", eff.from.String()).Str("composition", hex.EncodeToString(eff.id[:]))
		if eff.title != "" {
			line.Str("name", eff.title)
		}
		if eff.label != "" {
			line.Str("member", eff.label)
		}
	}
	switch eff.what {
	case noteFirst:
		n.tell(now, newsFirst, details)
	case noteComplete:
		n.tell(now, newsComplete, details)
	case noteFurther:
		line := n.log.Debug()
		details(line)
		line.Msg("further complete copy")
	}
}
