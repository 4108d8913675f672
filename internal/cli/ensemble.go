package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"orchestra/member"
)

const (
	scanEvery = 2 * time.Second // of folders in which .orch files come and go
	openings  = 8               // compositions that are opened side by side
)

// An ensemble is a join of many compositions: those of .orch files, and of folders that are watched
// for them. What happens to one of them is told, and costs that one alone. Its methods are called
// from one goroutine, to which others send what is to be done there.
type ensemble struct {
	program *program
	options joinOptions
	sources []string // .orch files and folders, as they were given
	host    *member.Host
	showing *ensembleShowing

	ctx    context.Context
	end    context.CancelCauseFunc
	do     chan func()
	gone   chan struct{} // closed when nothing is done any more
	voices map[string]*voice
	blind  map[string]string // why a folder cannot be read
	room   chan struct{}     // for openings
	hooks  chan struct{}     // for the command of --on-complete: one at a time
	active int               // goroutines of voices
}

// isMany reports whether what join was given is more than one .orch file. A folder counts if it has
// .orch files in it, or is written as one: it may be content that was mistaken for its description.
func isMany(arguments []string) bool {
	return len(arguments) > 1 || len(arguments) == 1 && isWatched(arguments[0])
}

func isWatched(path string) bool {
	if !isFolder(path) {
		return false
	}
	found, err := orchFiles(path)
	return strings.HasSuffix(filepath.ToSlash(path), "/") || err == nil && len(found) > 0
}

// runEnsemble runs members for all that is given until it is told to end or a limit is reached.
func runEnsemble(ctx context.Context, p *program, o joinOptions, sources []string) error {
	if o.stdout {
		return &usageError{command: "join", text: "--stdout writes one composition; name one .orch file"}
	}
	for _, path := range sources {
		if isFolder(path) && !isWatched(path) {
			_, err := openFile(path)
			return err
		}
	}
	m := o.member
	host, err := member.NewHost(member.HostConfig{
		Listen: m.Listen, UploadLimit: m.UploadLimit, DownloadLimit: m.DownloadLimit, Log: p.log,
	})
	if err != nil {
		return err
	}
	e := &ensemble{
		program: p, options: o, sources: sources, host: host,
		do: make(chan func(), 64), gone: make(chan struct{}), voices: map[string]*voice{},
		blind: map[string]string{}, room: make(chan struct{}, openings), hooks: make(chan struct{}, 1),
	}
	return e.run(ctx)
}

func (e *ensemble) run(ctx context.Context) error {
	p := e.program
	e.ctx, e.end = context.WithCancelCause(ctx)
	defer e.end(nil)
	s := newEnsembleShowing(p, e.options.progress)
	e.showing = s
	hosting := make(chan error, 1)
	hosted, endHost := context.WithCancel(context.Background())
	defer endHost()
	go func() { hosting <- e.host.Run(hosted) }()

	readKeys := !e.options.noInput && term.IsTerminal(int(p.stdin.Fd()))
	e.scan()
	e.endOn(s.start(len(e.voices), e.host.Addr().String(), readKeys))
	keys := make(chan struct{})
	last := &lastCopy{
		terminal: p.terminal, again: p.running + " again", quit: p.stop.quit,
		needed: func() string {
			progress := e.needing()
			return needed(&progress)
		},
	}
	go func() {
		defer close(keys)
		p.terminal.watch(e.ctx, readKeys, last.pressed)
	}()
	local := listenLocally(p, e)
	defer local.close()

	cores := newCores()
	defer cores.end()
	look := time.NewTicker(s.every())
	defer look.Stop()
	scan := time.NewTicker(scanEvery)
	defer scan.Stop()
	for e.ctx.Err() == nil {
		select {
		case now := <-look.C:
			sum := e.sum()
			cores.fit(now, sum.Progress)
			e.endOn(s.look(now, sum, e.sorted()))
			e.retry(now)
			e.judge(now, sum)
		case <-scan.C:
			e.scan()
		case do := <-e.do:
			do()
		case <-e.ctx.Done():
		}
	}
	all, needing := e.sum(), e.firstNeeding() // while there are members to ask
	for _, v := range e.voices {
		v.letGo()
	}
	for e.active > 0 {
		(<-e.do)()
	}
	close(e.gone)
	endHost()
	err := <-hosting
	p.terminal.flush()
	<-keys
	last.needed = func() string { return needed(&needing) }
	last.ended(context.Cause(ctx))
	return s.end(e.ctx, all, err)
}

// endOn ends the join with err, if there is one.
func (e *ensemble) endOn(err error) {
	if err != nil {
		e.end(err)
	}
}

// later has the ensemble's goroutine do something. Whoever calls it counts as active, or may lose
// what it wants to say when all has ended.
func (e *ensemble) later(do func()) {
	select {
	case e.do <- do:
	case <-e.gone:
	}
}

// scan looks which .orch files there are.
func (e *ensemble) scan() {
	found := map[string]bool{}
	for _, source := range e.sources {
		if !isFolder(source) && !e.wasFolder(source) {
			found[source] = true
			continue
		}
		paths, err := orchFiles(source)
		if err != nil { // it may be a disk that is away for a moment: what was joined stays
			e.cannotRead(source, err)
			for path := range e.voices {
				found[path] = found[path] || filepath.Dir(path) == filepath.Clean(source)
			}
			continue
		}
		if e.blind[source] != "" {
			e.showing.note("%s can be read again", source)
		}
		e.blind[source] = ""
		for _, path := range paths {
			found[path] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		v := e.voices[path]
		if v == nil {
			v = &voice{ensemble: e, path: path}
			e.voices[path] = v
		}
		v.see(time.Now())
	}
	for path, v := range e.voices {
		if !found[path] {
			v.removed()
		}
	}
}

// wasFolder reports whether a source was a folder when it was looked at before.
func (e *ensemble) wasFolder(source string) bool {
	_, was := e.blind[source]
	return was
}

// cannotRead says once why a folder cannot be read.
func (e *ensemble) cannotRead(source string, err error) {
	if e.blind[source] != err.Error() {
		e.blind[source] = err.Error()
		e.showing.note("warning: %v; what was joined from there goes on", err)
	}
}

// retry joins what could not be joined before, when its time has come.
func (e *ensemble) retry(now time.Time) {
	for _, v := range e.voices {
		v.retry(now)
	}
}

// sorted are the compositions in the order of their names.
func (e *ensemble) sorted() []*voice {
	return slices.SortedFunc(maps.Values(e.voices), func(a, b *voice) int {
		return cmp.Or(cmp.Compare(a.name(), b.name()), cmp.Compare(a.path, b.path))
	})
}

// A sum is all compositions as if they were one.
type sum struct {
	member.Progress
	count    int
	complete int // those with all their content, and nothing left to do about that
	broken   int // those that cannot go on
	finished bool
	err      error // the first that cannot go on
}

// sum adds up how far all are.
func (e *ensemble) sum() sum {
	s := sum{count: len(e.voices)}
	s.Complete, s.finished, s.ConductorUp = s.count > 0, s.count > 0, true
	waits, missing, paused := 0, 0, 0
	for i, v := range e.sorted() {
		p := v.progress()
		s.Parts, s.PartsDone = s.Parts+p.Parts, s.PartsDone+p.PartsDone
		s.Bytes, s.BytesDone = s.Bytes+p.Bytes, s.BytesDone+p.BytesDone
		s.Stored += p.Stored
		s.Downloaded, s.Uploaded = s.Downloaded+p.Downloaded, s.Uploaded+p.Uploaded
		s.Wasted += p.Wasted
		s.Members, s.Known = s.Members+p.Members, s.Known+p.Known
		s.KnownComplete += p.KnownComplete
		s.Origins = addOrigins(s.Origins, p.Origins)
		s.Checking = s.Checking || p.Checking
		s.Dialled = s.Dialled || p.Dialled
		s.Unreachable = s.Unreachable || p.Unreachable
		s.Complete = s.Complete && p.Complete
		s.finished = s.finished && v.finished && p.Complete
		if i == 0 || p.Copies < s.Copies {
			s.Copies = p.Copies
		}
		if v.member != nil && !p.ConductorUp && p.Conductor != "" {
			s.ConductorUp = false
			s.Conductor = cmp.Or(s.Conductor, p.Conductor)
		}
		if p.Complete {
			s.complete++
		} else if v.member != nil {
			missing++
		}
		if p.Paused != "" {
			paused++
			s.Paused = cmp.Or(s.Paused, v.name()+": "+p.Paused)
		}
		if err := v.trouble(&p); err != nil {
			s.broken++
			if s.err == nil {
				s.err = err
			}
		}
		if p.Waiting != "" {
			waits++
			if s.Waiting == "" {
				s.Waiting = v.name() + ": " + p.Waiting
			}
		}
	}
	if s.ConductorUp && s.Conductor == "" {
		s.Conductor = e.conductors()
	}
	if paused < missing { // something comes
		s.Paused = ""
	}
	if waits > 1 {
		s.Waiting += fmt.Sprintf("; and %d more wait", waits-1)
	}
	s.Unreachable = s.Unreachable && s.Members == 0 && !s.Dialled
	return s
}

// conductors says in words which conductor is up.
func (e *ensemble) conductors() string {
	for _, v := range e.voices {
		if p := v.progress(); p.Conductor != "" {
			return p.Conductor
		}
	}
	return ""
}

// needing is how far a composition is that others need this process for; zero if there is none. It
// may be called from any goroutine.
func (e *ensemble) needing() member.Progress {
	found := make(chan member.Progress, 1)
	e.later(func() { found <- e.firstNeeding() })
	select {
	case p := <-found:
		return p
	case <-e.gone:
		return member.Progress{}
	}
}

func (e *ensemble) firstNeeding() member.Progress {
	for _, v := range e.voices {
		if p := v.progress(); needed(&p) != "" {
			return p
		}
	}
	return member.Progress{}
}

// judge ends the join if a limit is reached. With --exit one that cannot go on does not keep the
// others' join from ending: its error is the join's.
func (e *ensemble) judge(now time.Time, s sum) {
	l := &e.options.limits
	if !s.finished {
		// --share-for counts from when all are, those that came since included
		l.complete = time.Time{}
	}
	switch {
	case s.count == 0 && l.exit:
		e.endOn(withCode(exitInput, errors.New("there is no .orch file in "+strings.Join(e.sources, ", "))))
	case l.exit && s.broken > 0 && s.complete+s.broken == s.count && !e.busy():
		e.endOn(s.err)
	case s.count > 0:
		e.endOn(l.reached(now, &s.Progress, s.finished))
	}
}

// busy reports whether a command of --on-complete runs or waits for its turn, or a composition is
// being opened.
func (e *ensemble) busy() bool {
	for _, v := range e.voices {
		if v.hooked || v.opening {
			return true
		}
	}
	return false
}
