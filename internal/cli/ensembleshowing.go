package cli

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An ensembleShowing shows how a join of many compositions goes on: the sum of all in a bar or in
// plain lines, and a line where something becomes of one. With plain lines each that moves or waits
// has its own too.
type ensembleShowing struct {
	*showing
	count int // compositions that the bar was made for
}

func newEnsembleShowing(p *program, mode string) *ensembleShowing {
	return &ensembleShowing{showing: newShowingOf(p, "0 compositions", mode), count: 0}
}

func (s *ensembleShowing) note(format string, args ...any) {
	s.program.terminal.note("%s", harmless(fmt.Sprintf(format, args...)))
}

// rename gives the bar the name for so many compositions.
func (s *ensembleShowing) rename(count int) {
	if s.count == count {
		return
	}
	s.count, s.name = count, counted(count, "composition")
	s.bar = newBar(s.name)
}

func (s *ensembleShowing) start(count int, address string, readKeys bool) error {
	s.rename(count)
	if s.mode != "none" {
		end := "Ctrl-C"
		if readKeys {
			end = "q"
		}
		s.note("joining %s, listening on %s; %s ends it", s.name, address, end)
	}
	return s.emit(joinEvent{Event: "start", Address: address})
}

// look takes a snapshot and shows what is due.
func (s *ensembleShowing) look(now time.Time, all sum, voices []*voice) error {
	s.rename(all.count)
	if s.mode == "plain" {
		for _, v := range voices {
			s.each(now, v)
		}
	}
	return s.showing.look(now, all.Progress)
}

// each shows how far one composition is, if that is due.
func (s *ensembleShowing) each(now time.Time, v *voice) {
	if v.member == nil {
		return
	}
	if view := v.view(now); v.plain.due(now, view) {
		s.note("%s: %s", v.name(), view.line())
	}
}

// view is how far it is, with the rates since the last look.
func (v *voice) view(now time.Time) *view {
	p := v.progress()
	v.down.observe(now, p.Downloaded-p.Wasted)
	v.up.observe(now, p.Uploaded)
	v.web.observe(now, fromOrigins(p.Origins))
	return &view{p, &v.down, &v.up, &v.web}
}

// event is one that is about a composition.
func (s *ensembleShowing) event(v *voice, kind string, e joinEvent, text ...string) error {
	e.Event, e.Seconds, e.File, e.Name = kind, s.seconds(), v.path, v.name()
	if v.file != nil {
		e.ID = v.file.ID().String()
	}
	return s.emit(e, text...)
}

func (s *ensembleShowing) joined(v *voice) {
	if s.program.common.verbose && s.mode != "none" {
		s.note("%s is joined", v.name())
	}
	if text := resumedText(v.progress()); text != "" && s.mode != "none" {
		s.note("%s: %s", v.name(), text)
	}
	v.endOn(s.event(v, "joined", joinEvent{}))
}

func (s *ensembleShowing) left(v *voice) {
	if s.mode != "none" {
		s.note("%s is let go, since %s is no longer there; the content stays", v.name(), v.path)
	}
	v.endOn(s.event(v, "left", joinEvent{}))
}

func (s *ensembleShowing) failed(v *voice, err error) {
	s.note("warning: %v; it is tried again", v.of(err))
	v.endOn(s.event(v, "failed", joinEvent{Error: harmless(err.Error())}))
}

// complete says that one is complete, unless it was so from the start.
func (s *ensembleShowing) complete(v *voice, path string) error {
	if s.mode != "none" && (v.progress().Downloaded > 0 || s.program.common.verbose) {
		s.note("%s is complete and verified after %s: %s", v.name(), timeText(time.Since(s.began)), path)
	}
	return s.event(v, "complete", joinEvent{Path: path}, path)
}

// end says how the join ended and returns the command's error.
func (s *ensembleShowing) end(ctx context.Context, all sum, runErr error) error {
	s.program.terminal.wipe()
	v := s.view(all.Progress)
	if s.mode != "none" {
		last := *v
		last.Waiting = "" // it was said
		s.note("%s: %s", s.name, last.line())
	}
	err := s.emit(joinEvent{Event: "end", Seconds: s.seconds(), joinCounts: v.counts()})
	cause := context.Cause(ctx)
	var stop *stopError
	switch {
	case runErr != nil:
		return runErr
	case errors.As(cause, &stop) && all.complete < all.count:
		verb := "are"
		if all.count-all.complete == 1 {
			verb = "is"
		}
		return stopped(ctx, "%d of %s %s not complete; join again to go on",
			all.count-all.complete, counted(all.count, "composition"), verb)
	case cause != nil && stop == nil &&
		!errors.Is(cause, errEnough) && !errors.Is(cause, context.Canceled):
		return cause
	}
	return err
}
