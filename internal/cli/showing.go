package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orchestra/member"
	"orchestra/orch"
)

const (
	lookEvery   = 200 * time.Millisecond // at a running member, and how often the bar is drawn
	glanceEvery = 500 * time.Millisecond // at one of which neither a bar nor events tell
	eventEvery  = time.Second            // between two progress events of --json
)

// A showing shows how a join goes on: a bar or plain lines on stderr, the path or events on stdout.
type showing struct {
	program  *program
	file     *orch.File // nil: of several
	name     string     // of what is joined
	mode     string     // bar, plain or none
	bar      *bar
	down, up meter
	web      meter
	plain    plainSchedule
	troubles troubles
	began    time.Time
	event    time.Time // the last progress event
	paused   bool      // it was said that the download is
	piped    bool      // stdout is the content's
	pouring  bool      // which is not all written yet
}

func newShowing(p *program, f *orch.File, mode string) *showing {
	s := newShowingOf(p, f.Name, mode)
	s.file = f
	return s
}

func newShowingOf(p *program, name, mode string) *showing {
	switch {
	case p.terminal.isQuiet():
		mode = "none"
	case mode == "none", mode == "plain":
	case p.terminal.canDraw():
		mode = "bar"
	default:
		mode = "plain"
	}
	return &showing{program: p, name: name, mode: mode, bar: newBar(name), began: time.Now()}
}

// A joinEvent is one line of join --json; which fields it has, docs/scripting.md says.
type joinEvent struct {
	// start, progress, paused, resumed, complete or end; of several joined, left, failed
	Event   string `json:"event"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"` // where the member listens
	Page    string `json:"page,omitempty"`    // where the page is
	Path    string `json:"path,omitempty"`    // of the content
	File    string `json:"file,omitempty"`    // the .orch file, of several
	// why it is paused; of several, why it is not joined
	Error   string   `json:"error,omitempty"`
	Seconds *float64 `json:"seconds,omitempty"` // since the start
	*joinCounts
}

// joinCounts are the numbers of a progress and of an end event.
type joinCounts struct {
	Parts       int           `json:"parts"`
	PartsDone   int           `json:"parts_done"`
	Bytes       int64         `json:"bytes"`
	BytesDone   int64         `json:"bytes_done"`
	Downloaded  int64         `json:"downloaded"` // bytes, in this run
	Wasted      int64         `json:"wasted"`     // of them
	Uploaded    int64         `json:"uploaded"`   // bytes, in this run
	Rate        float64       `json:"rate"`       // bytes a second coming in
	UpRate      float64       `json:"upload_rate"`
	Members     int           `json:"members"` // connected
	Known       int           `json:"known"`
	Others      int           `json:"known_complete"`
	ConductorUp bool          `json:"conductor_up"`
	Conductor   string        `json:"conductor"` // in words
	Waiting     string        `json:"waiting"`   // why nothing comes
	Origins     []originEvent `json:"web_servers"`
	Checking    bool          `json:"checking"`
	Complete    bool          `json:"complete"`
	BadParts    []int         `json:"bad_parts"` // counted from 0
}

func (s *showing) start(address, page string, readKeys bool) error {
	if s.mode != "none" {
		end := "Ctrl-C"
		if readKeys {
			end = "q"
		}
		s.program.terminal.note("joining %s: %s in %s, listening on %s; %s ends it", s.file.Name, bytesText(s.file.Size),
			counted(s.file.NumParts(), "part"), address, end)
	}
	if page != "" {
		s.program.terminal.note("its page is at %s", page)
	}
	return s.emit(joinEvent{Event: "start", ID: s.file.ID().String(), Name: s.file.Name, Address: address, Page: page})
}

// every is the time between two looks.
func (s *showing) every() time.Duration {
	if s.mode == "bar" || s.program.common.json {
		return lookEvery
	}
	return glanceEvery
}

// look takes a snapshot and shows what is due.
func (s *showing) look(now time.Time, p member.Progress) error {
	s.down.observe(now, p.Downloaded-p.Wasted)
	s.up.observe(now, p.Uploaded)
	s.web.observe(now, fromOrigins(p.Origins))
	v := s.view(p)
	switch s.mode {
	case "bar":
		drawn := s.program.terminal.draw(func(width int) string { return s.bar.render(width, v) })
		text := s.troubles.stall(now, v)
		if text != "" && !(drawn && s.bar.fits(s.program.terminal.width(), v)) {
			s.program.terminal.note("%s", text)
		}
	case "plain":
		if s.plain.due(now, v) {
			s.program.terminal.note("%s: %s", s.name, v.line())
		}
	}
	for _, text := range s.troubles.news(now, v) {
		s.program.terminal.note("%s", text)
	}
	if paused := p.Paused != ""; paused != s.paused {
		s.paused = paused
		e := joinEvent{Event: "resumed", Seconds: s.seconds()}
		if paused {
			e.Event, e.Error = "paused", p.Paused
		}
		if err := s.emit(e); err != nil {
			return err
		}
	}
	if now.Sub(s.event) < eventEvery {
		return nil
	}
	s.event = now
	return s.emit(joinEvent{Event: "progress", Seconds: s.seconds(), joinCounts: v.counts()})
}

func (s *showing) view(p member.Progress) *view { return &view{p, &s.down, &s.up, &s.web} }

// resumed says what was here at the start and need not be read again.
func (s *showing) resumed(p member.Progress) {
	if text := resumedText(p); s.mode != "none" && text != "" {
		s.program.terminal.note("%s", text)
	}
}

// resumedText says how many parts were here at the start; empty if none was, or all.
func resumedText(p member.Progress) string {
	if p.Resumed == 0 || p.Resumed >= p.Parts {
		return ""
	}
	return fmt.Sprintf("resumed: %s of %s were here (checked before)",
		grouped(int64(p.Resumed)), counted(p.Parts, "part"))
}

// complete says that the content is complete.
func (s *showing) complete(path string, p *member.Progress) error {
	switch {
	case s.mode == "none":
	case p.Resumed > 0 && p.Resumed == p.Parts:
		s.program.terminal.note("%s is complete, and was checked before (--check reads it again): %s", s.file.Name, path)
	default:
		s.program.terminal.note("%s is complete and verified after %s: %s", s.file.Name, timeText(time.Since(s.began)), path)
	}
	return s.emit(joinEvent{Event: "complete", Path: path, Seconds: s.seconds()}, path)
}

// poured says that all of the content was written to stdout.
func (s *showing) poured() {
	s.pouring = false
	if s.mode != "none" {
		s.program.terminal.note("%s was written to stdout in full", s.file.Name)
	}
}

// end says how the join ended and returns the command's error; runErr is the member's.
func (s *showing) end(ctx context.Context, p member.Progress, runErr error) error {
	v := s.view(p)
	s.program.terminal.wipe()
	if s.mode != "none" {
		last := *v
		last.Waiting = "" // it was said, or is said by the error
		s.program.terminal.note("%s: %s", s.file.Name, last.line())
	}
	err := s.emit(joinEvent{Event: "end", Path: p.Path, Seconds: s.seconds(), joinCounts: v.counts()})
	cause := context.Cause(ctx)
	var stop *stopError
	switch {
	case runErr != nil:
		return runErr
	case errors.As(cause, &stop) && !p.Complete:
		return stopped(ctx, "%s is not complete; %s again to go on", s.file.Name, s.program.running)
	case stop != nil && s.pouring:
		return stopped(ctx, "%s was not written to stdout in full", s.file.Name)
	case cause != nil && stop == nil && !errors.Is(cause, errEnough) && !errors.Is(cause, context.Canceled):
		return cause
	}
	return err
}

// seconds is the time since the start.
func (s *showing) seconds() *float64 {
	v := time.Since(s.began).Seconds()
	return &v
}

// emit writes an event to stdout with --json, else the text, if there is one; neither if the
// content is written there.
func (s *showing) emit(e joinEvent, text ...string) error {
	if s.piped || (len(text) == 0 && !s.program.common.json) {
		return nil
	}
	return s.program.terminal.aside(func() error {
		return s.program.result(e, append(text, "")[0])
	})
}

func (v *view) counts() *joinCounts {
	c := &joinCounts{
		Parts: v.Parts, PartsDone: v.PartsDone, Bytes: v.Bytes, BytesDone: v.BytesDone,
		Downloaded: v.Downloaded, Wasted: v.Wasted, Uploaded: v.Uploaded,
		Rate: v.down.rate(), UpRate: v.up.rate(),
		Members: v.Members, Known: v.Known, Others: v.KnownComplete, ConductorUp: v.ConductorUp,
		Conductor: v.Conductor, Waiting: v.Waiting, Origins: originEvents(time.Now(), v.Origins),
		Checking: v.Checking, Complete: v.Complete, BadParts: v.BadParts,
	}
	if c.BadParts == nil {
		c.BadParts = []int{}
	}
	return c
}
