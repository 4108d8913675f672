package cli

import (
	"context"
	"sync"
	"time"

	"golang.org/x/term"

	"orchestra/member"
	"orchestra/orch"
)

// A joining is a member that runs, and what is to be done while it does. Its methods are called
// from one goroutine.
type joining struct {
	program   *program
	options   joinOptions
	file      *orch.File
	member    *member.Member
	completed <-chan string // the content's path, once
	page      *joinPage     // nil: none

	ctx      context.Context
	end      context.CancelCauseFunc
	showing  *showing
	hooked   chan error // the end of the command of --on-complete, while it runs
	finished bool       // the content is complete, and that command has ended
}

// run runs the member until it ends, and says how that was.
func (j *joining) run(ctx context.Context) error {
	p, m := j.program, j.member
	j.ctx, j.end = context.WithCancelCause(ctx)
	defer j.end(nil)
	s := newShowing(p, j.file, j.options.progress)
	s.piped, s.pouring = j.options.stdout, j.options.stdout
	j.showing = s
	readKeys := !j.options.noInput && term.IsTerminal(int(p.stdin.Fd()))
	shown := ""
	if j.page != nil {
		shown = j.page.url()
	}
	j.endOn(s.start(m.Addr().String(), shown, readKeys))
	s.resumed(m.Progress())

	keys := make(chan struct{})
	last := &lastCopy{
		terminal: p.terminal, again: p.running + " again", quit: p.stop.quit,
		needed: func() string {
			progress := m.Progress()
			return needed(&progress)
		},
	}
	go func() {
		defer close(keys)
		p.terminal.watch(j.ctx, readKeys, last.pressed)
	}()
	ended := make(chan error, 1)
	go func() { ended <- m.Run(j.ctx) }()
	var served sync.WaitGroup
	defer served.Wait()
	if j.page != nil {
		served.Go(func() { j.page.run(j.ctx) })
	}
	var poured <-chan error // the end of writing to stdout
	if j.options.stdout {
		poured = pour(j.ctx, m, j.file, p.stdout, p.running)
	}

	cores := newCores()
	defer cores.end()
	look := time.NewTicker(s.every())
	defer look.Stop()
	for {
		select {
		case now := <-look.C:
			progress := m.Progress()
			cores.fit(now, progress)
			j.endOn(s.look(now, progress))
			j.judge(now, progress)
		case path := <-j.completed:
			j.complete(path)
		case err := <-j.hooked:
			j.hookEnded(err)
		case err := <-poured:
			if poured = nil; err == nil {
				s.poured()
			}
			j.endOn(err)
		case err := <-ended:
			j.end(nil)
			if j.hooked != nil {
				<-j.hooked
				p.terminal.flush()
			}
			<-keys
			progress := m.Progress()
			last.ended(context.Cause(ctx))
			return s.end(j.ctx, progress, err)
		}
	}
}

// endOn ends the join with err, if there is one.
func (j *joining) endOn(err error) {
	if err != nil {
		j.end(err)
	}
}

// judge ends the join if a limit is reached.
func (j *joining) judge(now time.Time, progress member.Progress) {
	j.endOn(j.options.limits.reached(now, &progress, j.finished && !j.showing.pouring))
}

// complete says that the content is complete at path, and starts the command that waits for it.
func (j *joining) complete(path string) {
	progress := j.member.Progress()
	j.endOn(j.showing.complete(path, &progress))
	if j.options.hook.command == "" {
		j.finished = true
	} else {
		j.hooked = make(chan error, 1)
		go func() {
			j.hooked <- j.options.hook.run(j.ctx, j.program.stop, path, j.file, j.program.terminal)
		}()
	}
	j.judge(time.Now(), j.member.Progress()) // --exit need not wait for the next look
}

// hookEnded takes in how the command ended. With --exit its failure is the join's.
func (j *joining) hookEnded(err error) {
	j.program.terminal.flush()
	if limits := &j.options.limits; limits.exit {
		limits.hooked = err
	} else if err != nil {
		j.program.terminal.line("warning: " + err.Error())
	}
	j.hooked, j.finished = nil, true
	j.judge(time.Now(), j.member.Progress())
}
