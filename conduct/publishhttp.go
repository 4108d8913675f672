package conduct

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"orchestra/proto/secure"
)

// IndexPath is where a conductor lists what it publishes.
const IndexPath = "/index.json"

// indexEvery is how long an index is good for, however many ask.
const indexEvery = time.Second

// An Index is what a conductor publishes, as it stands at IndexPath.
type Index struct {
	Host         string    `json:"host"` // what the conductor's host is called
	Compositions []Listing `json:"compositions"`
}

// A Listing is one published composition, and how far its members are. What it says of members is
// what they say.
type Listing struct {
	Path     string `json:"path"` // of the .orch file on this conductor, escaped
	Name     string `json:"name"` // of the content
	ID       string `json:"id"`
	Size     int64  `json:"size"`
	Parts    int    `json:"parts"`
	Folder   bool   `json:"folder"`
	Complete int    `json:"complete"` // copies, those of members that left included
	Known    int    `json:"known"`    // these, and the members listed now
	Pending  int    `json:"pending"`  // listed now and not complete
}

// PublishedPath is the path of a URL for a published file. Nothing in it means anything to a shell.
func PublishedPath(file string) string {
	return "/" + strings.ReplaceAll(url.QueryEscape(file), "+", "%20")
}

// index is the last answer to who asked for the index of a realm.
type index struct {
	mu   sync.Mutex
	text []byte
	at   time.Time
	of   time.Time // when the shelf had changed last
}

// publish adds what is published to what the port answers, under whatever name of its host, and
// without the page's token.
func (c *Conductor) publish(mux *http.ServeMux) {
	mux.HandleFunc("GET "+IndexPath, c.handleIndex)
	mux.HandleFunc("GET /{file}", c.handlePublished)
}

// handlePublished answers for .orch files. What belongs to the page has no such name.
func (c *Conductor) handlePublished(w http.ResponseWriter, req *http.Request) {
	file := req.PathValue("file")
	r := req.Context().Value(realmKey{}).(*realm)
	if r == c.open && c.admin == nil && !strings.HasSuffix(file, orchExt) {
		c.page.ServeHTTP(w, req)
		return
	}
	var published *work
	if c.cfg.Publish != nil {
		published = c.cfg.Publish.find(file)
	}
	if published == nil || published.key != r.key() {
		http.NotFound(w, req)
		return
	}
	h := w.Header()
	ours(h, "application/x-orchestra")
	h.Set("Etag", published.tag)
	h.Set("Cache-Control", "no-cache") // it may be kept, and is asked for again
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": published.file}))
	out := &patient{ResponseWriter: w, control: http.NewResponseController(w), wait: c.cfg.WriteTimeout}
	http.ServeContent(out, req, "", published.at, bytes.NewReader(published.text))
}

func (c *Conductor) handleIndex(w http.ResponseWriter, req *http.Request) {
	if c.cfg.Publish == nil {
		http.NotFound(w, req)
		return
	}
	text, err := c.indexText(req.Context(), req.Context().Value(realmKey{}).(*realm))
	if err != nil {
		return // the conductor ends, or who asked went
	}
	ours(w.Header(), "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(text)
}

// ours says that a conductor answers, with something that no browser is to take for a page.
func ours(h http.Header, kind string) {
	h.Set("Server", "Orchestra")
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}

// indexText is the index as JSON, made anew once a second at most.
func (c *Conductor) indexText(ctx context.Context, r *realm) ([]byte, error) {
	r.index.mu.Lock()
	defer r.index.mu.Unlock()
	shelf := c.cfg.Publish
	shelf.mu.Lock()
	changed := shelf.changed
	shelf.mu.Unlock()
	if r.index.text != nil && time.Since(r.index.at) < indexEvery && r.index.of.Equal(changed) {
		return r.index.text, nil
	}
	works := shelf.all(r.key())
	ids := make([][20]byte, len(works))
	for i, w := range works {
		ids[i] = w.id
	}
	now, err := c.statuses(ctx, r, 0, ids...)
	if err != nil {
		return nil, err
	}
	made := Index{Host: c.cfg.Name, Compositions: make([]Listing, len(works))}
	for i, w := range works {
		made.Compositions[i] = Listing{
			Path: PublishedPath(w.file), Name: w.name, ID: w.id.String(), Size: w.size, Parts: w.parts, Folder: w.folder,
			Complete: now[i].Complete, Known: now[i].Known, Pending: now[i].Pending,
		}
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	r.index.text, r.index.at, r.index.of = append(text, '\n'), time.Now(), changed
	return r.index.text, nil
}

// patient gives whoever reads an answer as long for each piece as a member has.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	wait    time.Duration
}

func (p *patient) Write(b []byte) (int, error) {
	p.control.SetWriteDeadline(time.Now().Add(p.wait))
	return p.ResponseWriter.Write(b)
}

// ErrEnded tells that the conductor does not run any more.
var ErrEnded = errors.New("the conductor has ended")

// statusesOf asks the loop for several compositions at once.
type statusesOf struct {
	realm *realm
	ids   [][20]byte
	reply chan<- []survey // has room for the answer
}

func (statusesOf) event() {}

// Statuses returns how far the members of compositions are, in their order, with so many members of
// each. Run must be running, or be started soon. The error is ctx's, or ErrEnded.
func (c *Conductor) Statuses(ctx context.Context, members int, ids ...[20]byte) ([]Status, error) {
	return c.statuses(ctx, c.open, members, ids...)
}

// PrivateStatuses is the same for the private swarm of one of the Config's Keys.
func (c *Conductor) PrivateStatuses(
	ctx context.Context, key *secure.Key, members int, ids ...[20]byte,
) ([]Status, error) {
	r := c.realmOf(key)
	if r == nil {
		return nil, fmt.Errorf("%v is not one of this conductor's", key)
	}
	return c.statuses(ctx, r, members, ids...)
}

func (c *Conductor) statuses(
	ctx context.Context, r *realm, members int, ids ...[20]byte,
) ([]Status, error) {
	reply := make(chan []survey, 1)
	select {
	case c.inbox <- statusesOf{r, ids, reply}:
	case <-c.ended:
		return nil, ErrEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case surveys := <-reply:
		all := make([]Status, len(surveys))
		for i := range surveys {
			all[i] = surveys[i].public(members)
		}
		return all, nil
	case <-c.ended:
		return nil, ErrEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// public is the survey as those see it who ask.
func (s *survey) public(members int) Status {
	out := Status{
		ID: s.ID, Title: s.about.Title,
		Complete: int(s.Complete), Known: int(s.Known), Pending: int(s.Pending), Left: leftTime(s.Left),
		Listed: int(s.about.Listed), Clients: int(s.about.Clients), ClientsComplete: int(s.about.Complete),
	}
	for i, row := range s.rows[:min(len(s.rows), max(members, 0))] {
		out.Members = append(out.Members, Standing{
			Label: row.Label, Addr: row.Addr, Have: int(row.Have), Parts: int(row.Parts),
			Left: leftTime(row.Left), Client: i >= out.Listed,
		})
	}
	return out
}
