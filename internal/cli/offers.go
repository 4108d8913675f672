package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"orchestra/conduct"
	"orchestra/internal/cli/fetch"
	"orchestra/internal/cli/lan"
	"orchestra/orch"
	"orchestra/proto/secure"
)

const (
	lookFor     = 1500 * time.Millisecond // answers, on the network
	indexTime   = 5 * time.Second         // for what a conductor publishes
	indexWait   = 2 * time.Second         // until the first of it
	indexSize   = 4 << 20
	askedAtOnce = 16   // conductors
	mostOffers  = 1000 // of one conductor
)

// An offer is a composition that conductors publish, under one name.
type offer struct {
	file string // name of the .orch file, without the extension
	id   orch.ID
	conduct.Listing
	from []offerer
	key  *secure.Key // by which it is offered; nil: to everybody
}

// An offerer is a conductor that publishes it.
type offerer struct {
	host    string // what it is called
	address string // HOST:PORT
	url     string // of the .orch file
}

// findOffers asks everybody on this machine's private networks what there is.
func findOffers(ctx context.Context) ([]offer, error) {
	found, err := lan.Find(ctx, lookFor)
	switch {
	case ctx.Err() != nil:
		return nil, stopped(ctx, "nothing was found yet")
	case err != nil:
		return nil, withCode(exitNetwork, err)
	}
	indexes := make([][]offer, len(found))
	var all sync.WaitGroup
	room := make(chan struct{}, askedAtOnce)
	for i, f := range found {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			for _, at := range f.Addrs {
				base := &url.URL{Scheme: "http", Host: at.String()}
				var err error
				if indexes[i], err = readIndex(ctx, base, nil); err == nil {
					return // another address of it offers the same
				}
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, stopped(ctx, "nothing was found yet")
	}
	return merged(slices.Concat(indexes...)), nil
}

// readIndex asks one conductor what it publishes, to the holders of a key if there is one.
func readIndex(ctx context.Context, base *url.URL, key *secure.Key) ([]offer, error) {
	base = base.JoinPath(conduct.IndexPath)
	body, err := fetch.Open(ctx, base.String(), fetch.Config{
		Size: indexSize, Time: indexTime, Silence: indexWait, Agent: agent(), Secure: secured(key),
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	offers, err := parseIndex(text, body.URL)
	for i := range offers {
		offers[i].key = key
	}
	return offers, err
}

// parseIndex reads an index, and leaves out what in it cannot be.
func parseIndex(text []byte, at *url.URL) ([]offer, error) {
	var is conduct.Index
	if err := json.Unmarshal(text, &is); err != nil {
		return nil, fmt.Errorf("%s is no list of a conductor", fetch.Shown(at))
	}
	var offers []offer
	for _, l := range is.Compositions[:min(len(is.Compositions), mostOffers)] {
		o := offer{Listing: l}
		name, err := orch.ReadName(l.Name)
		if err != nil || name != l.Name || l.Size < 0 || l.Complete < 0 || l.Known < l.Complete {
			continue
		}
		if o.id, err = orch.ParseID(l.ID); err != nil {
			continue
		}
		path, err := url.Parse(l.Path)
		if err != nil || path.Host != "" ||
			conduct.PublishedPath(strings.TrimPrefix(path.Path, "/")) != l.Path {
			continue
		}
		o.file = strings.TrimSuffix(strings.TrimPrefix(path.Path, "/"), orchExt)
		port := cmp.Or(at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme])
		o.from = []offerer{{
			host: is.Host, address: net.JoinHostPort(at.Hostname(), port), url: at.ResolveReference(path).String(),
		}}
		offers = append(offers, o)
	}
	return offers, nil
}

// merged makes one offer of those of one content under one name, and puts them in order.
func merged(all []offer) []offer {
	type key struct {
		file, name string
		id         orch.ID
	}
	at := make(map[key]int)
	var out []offer
	for _, o := range all {
		k := key{o.file, o.Name, o.id}
		i, known := at[k]
		if !known {
			at[k] = len(out)
			out = append(out, o)
			continue
		}
		out[i].from = append(out[i].from, o.from...)
		if o.Known > out[i].Known || o.Known == out[i].Known && o.Complete > out[i].Complete {
			out[i].Listing = o.Listing
		}
	}
	slices.SortFunc(out, func(a, b offer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.file, b.file), slices.Compare(a.id[:], b.id[:]))
	})
	return out
}

// named finds the one content that is offered under a name, its own or its .orch file's. That two
// are called the same is for the user to decide.
func named(all []offer, name string) (offer, error) {
	var found []offer
	var names []string
	for _, o := range all {
		if names = append(names, o.Name, o.file); o.Name == name || o.file == name {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return offer{}, withCode(exitInput, fmt.Errorf("nobody on this network shares %s%s",
			shownName(name), didYouMean("", name, names)))
	}
	one := found[0]
	for _, o := range found[1:] {
		if o.id != one.id {
			return offer{}, withCode(exitInput, fmt.Errorf("different contents are called %s here; "+
				"say which: get %s (%.8s), or get %s (%.8s)",
				shownName(name), fetch.ShownText(one.from[0].url), one.ID, fetch.ShownText(o.from[0].url), o.ID))
		}
		one.from = append(one.from, o.from...)
	}
	return one, nil
}

// open gets the .orch file of an offer, which has to be of what was offered.
func (o *offer) open(ctx context.Context, p *program) (source, error) {
	var failed error
	for _, f := range o.from {
		s, err := p.fetchComposition(ctx, f.url, o.key)
		switch {
		case err == nil && s.file.ID() != o.id:
			err = withCode(exitInput, fmt.Errorf("%s is of something else than was offered", fetch.ShownText(f.url)))
		case err == nil:
			for _, other := range o.from {
				if read, err := orch.ReadConductor(other.address); err == nil && !slices.Contains(s.served, read) {
					s.served = append(s.served, read)
				}
			}
			return s, nil
		case ctx.Err() != nil:
			return s, err
		}
		if failed == nil {
			failed = err
		}
	}
	return source{}, failed
}

// line is an offer for people, who may be looking at what anybody on the network wrote.
func (o *offer) line() string {
	kind := bytesText(o.Size)
	if o.Folder {
		kind += " in a folder"
	}
	copies := "nobody there yet"
	if o.Known > 0 {
		copies = fmt.Sprintf("%d of %d complete", o.Complete, o.Known)
	}
	who := o.from[0].address
	if host := o.from[0].host; host != "" {
		who = fmt.Sprintf("%s (%s)", shownName(elided(harmless(host), mostHost)), who)
	}
	if more := len(o.from) - 1; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s, %s, %s, on %s", shownName(o.Name), kind, copies, who)
}

const mostHost = 64 // columns of a host's name

// shownName is a name as a word of its own: quoted if it could be taken for something else.
func shownName(name string) string {
	if strings.Trim(name, titleLetters) == "" && name != "" {
		return name
	}
	return strconv.Quote(name)
}

// An offerLine is a line of get --json without an argument (docs/scripting.md).
type offerLine struct {
	Name     string   `json:"name"`
	ID       string   `json:"id"`
	Size     int64    `json:"size"`
	Folder   bool     `json:"folder"`
	Complete int      `json:"complete"`
	Known    int      `json:"known"`
	Pending  int      `json:"pending"`
	Host     string   `json:"host"`
	URLs     []string `json:"urls"`
}

func (o *offer) json() offerLine {
	l := offerLine{
		Name: o.Name, ID: o.ID, Size: o.Size, Folder: o.Folder, Host: o.from[0].host,
		Complete: o.Complete, Known: o.Known, Pending: o.Pending,
	}
	for _, f := range o.from {
		l.URLs = append(l.URLs, fetch.ShownText(f.url))
	}
	return l
}

// choose has the user choose among offers.
func (p *program) choose(ctx context.Context, offers []offer) (offer, error) {
	for i := range offers {
		p.terminal.line(fmt.Sprintf("%3d  %s", i+1, offers[i].line()))
	}
	question := fmt.Sprintf("which one? [1-%d, q: none] ", len(offers))
	if len(offers) == 1 {
		question = "get it? [Enter: yes, q: no] "
	}
	for {
		answer, err := p.terminal.ask(ctx, question)
		switch {
		case ctx.Err() != nil:
			return offer{}, stopped(ctx, "nothing was chosen")
		case errors.Is(err, io.EOF), strings.EqualFold(answer, "q"), strings.EqualFold(answer, "n"):
			return offer{}, fmt.Errorf("nothing was chosen: %w", &stopError{by: "q", code: exitStopped})
		case err != nil:
			return offer{}, err
		case len(offers) == 1 && (answer == "" || strings.EqualFold(answer, "y")):
			return offers[0], nil
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(offers) {
			return offers[n-1], nil
		}
	}
}
