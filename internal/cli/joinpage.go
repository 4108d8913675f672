package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"orchestra/conduct/page"
	"orchestra/member"
	"orchestra/orch"
)

// pageLook is how often a member is looked at for the history of its page.
const pageLook = time.Second

// A joinPage is the page of a member: what it knows of itself and of those it is connected to.
type joinPage struct {
	file     *orch.File
	member   *member.Member
	listener net.Listener
	page     *page.Page
	began    time.Time
	name     string
	base     string // of the URL from which the .orch file came; "": none
	path     string // and the rest of it

	mu      sync.Mutex // guards what follows, for the look each second and the viewers'
	history page.History
	looked  time.Time
	before  member.Progress
	down    rateOf
	up      rateOf
	peers   map[[20]byte]*peerSeen
	serial  uint64
	events  []page.Event
	event   uint64
}

// peerSeen is what is remembered of a peer from one look to the next.
type peerSeen struct {
	serial         uint64
	at             time.Time
	received, sent int64
	from, to       rateOf
}

// rateOf is bytes a second, of which the latest look counts half.
type rateOf float64

func (r *rateOf) saw(span time.Duration, bytes int64) {
	if span > 0 {
		*r = (*r + rateOf(float64(max(bytes, 0))/span.Seconds())) / 2
	}
	if *r < 1 {
		*r = 0
	}
}

// listenForPage binds the address of a member's page.
func listenForPage(at string) (net.Listener, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			err = op.Err // the address stands there already
		}
		return nil, withCode(exitNetwork, fmt.Errorf("cannot serve the page on %s: %w", at, err))
	}
	return l, nil
}

// newJoinPage makes the page of a member; an empty name is the host's.
func newJoinPage(l net.Listener, from source, m *member.Member, name string) *joinPage {
	host, _ := os.Hostname() // without one the page shows the address
	j := &joinPage{name: cmp.Or(name, host), file: from.file, member: m, listener: l, began: time.Now(), looked: time.Now(), peers: make(map[[20]byte]*peerSeen)}
	if u := from.url; u != nil && u.User == nil && u.RawQuery == "" { // nothing secret in it
		j.base, j.path = u.Scheme+"://"+u.Host, u.EscapedPath()
	}
	j.page = page.New(page.Config{Look: j.look})
	return j
}

// url is where a browser finds it.
func (j *joinPage) url() string {
	return pageURL(j.listener.Addr().(*net.TCPAddr).AddrPort())
}

// run serves the page until the context ends.
func (j *joinPage) run(ctx context.Context) {
	srv := &http.Server{
		Handler: j.page, MaxHeaderBytes: 16 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	var work sync.WaitGroup
	work.Go(func() { j.page.Run(ctx) })
	work.Go(func() { srv.Serve(j.listener) })
	tick := time.NewTicker(pageLook)
	defer tick.Stop()
	for open := true; open; {
		select {
		case now := <-tick.C:
			j.mu.Lock()
			j.keep(now, j.member.Progress())
			j.mu.Unlock()
		case <-ctx.Done():
			open = false
		}
	}
	srv.Close()
	work.Wait()
}

// keep takes a look into the history.
func (j *joinPage) keep(now time.Time, p member.Progress) {
	span := now.Sub(j.looked)
	if span < pageLook/4 {
		return
	}
	received, sent := p.Downloaded-j.before.Downloaded, p.Uploaded-j.before.Uploaded
	j.history.Add(j.looked, now, received, sent)
	j.down.saw(span, received)
	j.up.saw(span, sent)
	if p.Complete && !j.before.Complete {
		j.tell(now, "complete", "")
	}
	if p.Waiting != j.before.Waiting && p.Waiting != "" {
		j.tell(now, "stalled", p.Waiting)
	}
	j.looked, j.before = now, p
}

// tell notes an event of this member.
func (j *joinPage) tell(now time.Time, kind, text string) {
	j.event++
	if len(j.events) >= page.MaxEvents {
		j.events = append(j.events[:0], j.events[1:]...)
	}
	j.events = append(j.events, page.Event{ID: j.event, At: now.UnixMilli(), Kind: kind, Who: j.name, Text: text})
}

// look is what the page shows now.
func (j *joinPage) look(ctx context.Context, ids []string) (page.View, bool) {
	v := page.View{Role: "member", Version: pageVersion(), Since: j.began.UnixMilli(), Base: j.base, Details: make(map[string]*page.Detail)}
	in, ok := j.member.Insight(ctx)
	if !ok {
		return v, false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	j.keep(now, in.Progress)
	sum, detail := j.show(now, &in)
	v.List = []page.Summary{sum}
	for _, id := range ids {
		if id == sum.ID {
			v.Details[id] = detail
		}
	}
	return v, true
}

// show is the one composition, as this member sees it.
func (j *joinPage) show(now time.Time, in *member.Insight) (page.Summary, *page.Detail) {
	p, parts := &in.Progress, j.file.NumParts()
	s := page.Summary{
		ID: j.file.ID().String(), Title: j.file.Name, Size: j.file.Size, Parts: int64(parts), PartSize: j.file.PartSize,
		Rate: int64(j.down), Moved: p.Downloaded, Sent: p.Uploaded, Join: page.JoinCommand(j.file.Name), File: j.path,
	}
	d := &page.Detail{Events: append([]page.Event(nil), j.events...)}
	holders, everywhere := make([]uint32, min(parts, page.MaxParts)), 0
	if parts > page.MaxParts {
		holders = nil
	}
	self := j.self(now, p, parts)
	self.Now.Strip = page.Strip(in.Bits, parts)
	rows := []page.Member{self}
	d.Members = append(d.Members, self)
	hold(holders, in.Bits, 1)
	for _, peer := range in.Peers {
		row, seen := j.peer(now, &peer, parts)
		rows = append(rows, row)
		d.Members = append(d.Members, row)
		if peer.Parts >= parts {
			everywhere++
		} else {
			hold(holders, peer.Bits, 1)
		}
		if peer.Received > 0 {
			d.Flows = append(d.Flows, page.Flow{From: row.ID, To: self.ID, Rate: int64(seen.from), Total: peer.Received})
		}
		if peer.Sent > 0 {
			d.Flows = append(d.Flows, page.Flow{From: self.ID, To: row.ID, Rate: int64(seen.to), Total: peer.Sent})
		}
	}
	for i := range p.Origins {
		row, seen := j.origin(now, &p.Origins[i], parts)
		d.Members = append(d.Members, row)
		if sent := p.Origins[i].Received; sent > 0 {
			d.Flows = append(d.Flows, page.Flow{
				From: row.ID, To: self.ID, Rate: int64(seen.from), Total: sent,
			})
		}
	}
	j.forget(now)
	for _, row := range rows {
		s.Have += row.Now.Have
		s.Want += row.Now.Parts
		switch row.Now.State {
		case page.Complete:
			s.Complete++
		case page.Stalled:
			s.Stalled++
		default:
			s.Downloading++
		}
	}
	s.Copies, s.Left = s.Complete, self.Now.Left
	s.Spread = spreadOf(holders, everywhere)
	d.Cells = page.CellsOf(holders, everywhere)
	d.Minutes, d.Hour = j.history.Series(now)
	return s, d
}

// self is this member's own row. Its number is 0.
func (j *joinPage) self(now time.Time, p *member.Progress, parts int) page.Member {
	m := page.Member{Who: page.Who{
		Label: j.name, Addr: j.member.Addr().String(), Version: pageVersion(), Since: j.began.Unix(), Self: true,
	}}
	m.Now = page.Now{
		State: page.Downloading, Have: int64(p.Stored), Parts: int64(parts), Down: int64(j.down), Up: int64(j.up),
		Received: p.Downloaded, Sent: p.Uploaded, Left: -1, Seen: now.Unix(), Why: p.Waiting,
	}
	switch {
	case p.Complete:
		m.Now.State, m.Now.Left = page.Complete, 0
	case p.Checking:
		m.Now.Why = "it checks what it has"
	case p.Waiting != "":
		m.Now.State = page.Stalled
	case j.down > 0:
		m.Now.Left = int64(float64(p.Bytes-p.BytesDone)/float64(j.down)) + 1
	}
	return m
}

// peer is the row of a peer: what it gets and sends, as far as this member takes part.
func (j *joinPage) peer(now time.Time, p *member.Peer, parts int) (page.Member, *peerSeen) {
	seen := j.sees(now, p.ID, p.Received, p.Sent)
	m := page.Member{ID: seen.serial, Who: page.Who{Addr: p.Addr.String(), Version: page.Program(p.ID), Since: p.Since.Unix()}}
	m.Now = page.Now{
		State: page.Downloading, Have: int64(p.Parts), Parts: int64(parts), Down: int64(seen.to), Up: int64(seen.from),
		Received: p.Sent, Sent: p.Received, Left: -1, Seen: now.Unix(), Strip: page.Strip(p.Bits, parts),
	}
	if p.Parts >= parts {
		m.Now.State, m.Now.Left = page.Complete, 0
	}
	return m, seen
}

// sees takes in how much a peer sent and got so far.
func (j *joinPage) sees(now time.Time, id [20]byte, received, sent int64) *peerSeen {
	seen := j.peers[id]
	if seen == nil {
		j.serial++
		seen = &peerSeen{serial: j.serial, at: now, received: received, sent: sent}
		j.peers[id] = seen
	}
	if span := now.Sub(seen.at); span >= pageLook/4 {
		seen.from.saw(span, received-seen.received)
		seen.to.saw(span, sent-seen.sent)
		seen.received, seen.sent = received, sent
	}
	seen.at = now
	return seen
}

// origin is the row of a web server. It counts neither as a member nor as a copy.
func (j *joinPage) origin(now time.Time, o *member.Origin, parts int) (page.Member, *peerSeen) {
	seen := j.sees(now, o.ID, o.Received, 0)
	m := page.Member{ID: seen.serial, Who: page.Who{Label: o.Name, Web: true, Since: j.began.Unix()}}
	m.Now = page.Now{
		State: page.Complete, Have: int64(parts), Parts: int64(parts), Up: int64(seen.from),
		Sent: o.Received, Seen: now.Unix(),
	}
	if text := o.Text(now); text != "" && o.Again.After(now) {
		m.Now.State, m.Now.Why = page.Stalled, text
	}
	return m, seen
}

// forget forgets peers that are gone.
func (j *joinPage) forget(now time.Time) {
	for id, seen := range j.peers {
		if seen.at.Before(now) {
			delete(j.peers, id)
		}
	}
}

// hold counts a holder of the parts that a bitfield has.
func hold(holders []uint32, bits []byte, n uint32) {
	if len(bits) < (len(holders)+7)/8 {
		return
	}
	for part := range holders {
		if bits[part>>3]&(0x80>>(part&7)) != 0 {
			holders[part] += n
		}
	}
}

// spreadOf is how many hold the parts, among those whom this member sees.
func spreadOf(holders []uint32, everywhere int) page.Spread {
	s := page.Spread{Known: len(holders) > 0}
	for i, n := range holders {
		held := int(n) + everywhere
		if i == 0 || held < s.Least {
			s.Least = held
		}
		switch held {
		case 0:
			s.None++
		case 1:
			s.Single++
		}
	}
	return s
}

// pageVersion is the version that a page shows; empty if it is not known.
func pageVersion() string {
	if v := version(); !strings.HasPrefix(v, "(") {
		return v
	}
	return ""
}

// pageURL is where a browser on this machine finds a page that is at an address.
func pageURL(at netip.AddrPort) string {
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if at.Addr().IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d/", at.Port())
	}
	return "http://" + at.String() + "/"
}
