package conduct

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"orchestra/conduct/page"
)

// answerWithin is how long the loop may take to answer until the conductor counts as not ready.
const answerWithin = time.Second

// A tally is what the metrics tell. It counts; it names nothing that strangers can make up, so that
// there are as many series with a million members as with one.
type tally struct {
	compositions, clients          int
	complete, downloading, stalled int
	copies                         int
	moved                          totals
}

// totals are what the registry counts since it began.
type totals struct {
	received, sent, sentByOrigin  uint64 // bytes, as members say
	joined, announced, complaints uint64
	full, address, key            uint64 // refused, by reason
}

// tally counts, in time that grows with the members.
func (r *registry) tally(now time.Time) tally {
	t := tally{compositions: len(r.comps), clients: len(r.guests.list), copies: r.copies, moved: r.totals}
	for _, c := range r.comps {
		for _, e := range c.entries {
			if e.guest {
				continue
			}
			switch e.state(now) {
			case page.Complete:
				t.complete++
			case page.Stalled:
				t.stalled++
			default:
				t.downloading++
			}
		}
	}
	return t
}

// refusedFor counts who was refused.
func (t *totals) refusedFor(why string) {
	switch why {
	case refusedFull:
		t.full++
	case refusedAddress:
		t.address++
	case refusedKey:
		t.key++
	}
}

// tally asks the loop.
func (c *Conductor) tally(ctx context.Context) (tally, bool) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	reply := make(chan tally, 1)
	c.post(ctx, reads(func(now time.Time, r *registry) { reply <- r.tally(now) }))
	select {
	case t := <-reply:
		return t, true
	case <-ctx.Done():
		return tally{}, false
	}
}

// The metrics, as docs/operating.md has them.
var (
	descMembers      = describe("members", "Members that are listed, by state.", "state")
	descClients      = describe("clients", "BitTorrent clients that are listed.")
	descCompositions = describe("compositions", "Compositions that have members.")
	descCopies       = describe("copies", "Complete copies that are counted, of members that left too.")
	descConnections  = describe("connections", "Connections that are open, whatever they are for.")
	descViewers      = describe("viewers", "Browsers that show the page.")
	descReceived     = describe("received_bytes_total", "Bytes of content that members say they got.")
	descSent         = describe("sent_bytes_total", "Bytes of content that members say they sent, by whether they had everything from the start.", "by")
	descJoined       = describe("joined_total", "Members that were listed.")
	descAnnounced    = describe("announcements_total", "Announcements over HTTP that were answered.")
	descRefused      = describe("refused_total", "Members and clients that were refused, by reason.", "reason")
	descComplaints   = describe("complaints_total", "Complaints of bad data that were heard.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("orchestra_conductor_"+name, help, labels, nil)
}

// collector tells Prometheus what the loop counts.
type collector struct{ c *Conductor }

func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descMembers, descClients, descCompositions, descCopies, descConnections, descViewers,
		descReceived, descSent, descJoined, descAnnounced, descRefused, descComplaints,
	} {
		out <- d
	}
}

func (m collector) Collect(out chan<- prometheus.Metric) {
	t, ok := m.c.tally(m.c.running)
	if !ok {
		out <- prometheus.NewInvalidMetric(descMembers, context.DeadlineExceeded)
		return
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge(descMembers, t.complete, page.Complete)
	gauge(descMembers, t.downloading, page.Downloading)
	gauge(descMembers, t.stalled, page.Stalled)
	gauge(descClients, t.clients)
	gauge(descCompositions, t.compositions)
	gauge(descCopies, t.copies)
	gauge(descConnections, m.c.gate.count()-int(m.c.secured.Load()))
	gauge(descViewers, m.c.page.Viewers())
	counter(descReceived, t.moved.received)
	counter(descSent, t.moved.sentByOrigin, "first_sharer")
	counter(descSent, t.moved.sent-t.moved.sentByOrigin, "member")
	counter(descJoined, t.moved.joined)
	counter(descAnnounced, t.moved.announced)
	counter(descRefused, t.moved.full, "full")
	counter(descRefused, t.moved.address, "address")
	counter(descRefused, t.moved.key, "key")
	counter(descRefused, m.c.notTaken.Load(), "composition")
	counter(descComplaints, t.moved.complaints)
}

// handleMetrics answers Prometheus.
func (c *Conductor) handleMetrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{c}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// Each scrape goes over all members: no more than this many at a time.
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 5 * time.Second})
}

// handleHealth says that the process lives.
func (c *Conductor) handleHealth(w http.ResponseWriter, _ *http.Request) {
	sayPlain(w, http.StatusOK, "ok")
}

// handleReady says whether the conductor takes members.
func (c *Conductor) handleReady(w http.ResponseWriter, req *http.Request) {
	if _, ok := c.tally(req.Context()); !ok {
		sayPlain(w, http.StatusServiceUnavailable, "it does not keep up")
		return
	}
	sayPlain(w, http.StatusOK, "ok")
}

func sayPlain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	w.Write([]byte(text + "\n"))
}
