package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"orchestra/member"
	"orchestra/orch"
)

// What could not be joined is tried again after retryFirst, and later and later up to retryMost.
const (
	retryFirst = 2 * time.Second
	retryMost  = 5 * time.Minute
)

// A voice is one composition of an ensemble, from the day its .orch file is found until it is gone.
type voice struct {
	*ensemble
	path  string // of the .orch file
	stamp stamp  // of it when it was read last

	file    *orch.File // nil: it was never read
	member  *member.Member
	leave   context.CancelFunc // ends the member
	opening bool
	going   bool // its .orch file is gone, or is another one; it ends
	again   bool // it is to be joined anew then

	err   error // why it is not joined, or ended
	said  string
	at    time.Time // of the next try
	pause time.Duration

	finished bool // it is complete, and the command that waits for that has ended
	hooked   bool // that command runs or waits for its turn
	plain    plainSchedule
	down, up meter
	web      meter
}

// A stamp is by what it is seen that an .orch file is another one.
type stamp struct {
	size int64
	time time.Time
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// orchFiles lists the .orch files in a folder. Hidden ones are no such: editors and copiers give
// names like that to what is not whole yet.
func orchFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || !strings.EqualFold(filepath.Ext(name), orchExt) || entry.IsDir() {
			continue
		}
		paths = append(paths, filepath.Join(folder, name))
	}
	slices.Sort(paths)
	return paths, nil
}

// name is what the content is called, or what stands for it until that is known.
func (v *voice) name() string {
	if v.file == nil {
		return filepath.Base(v.path)
	}
	return v.file.Name
}

// progress is how far it is.
func (v *voice) progress() member.Progress {
	if v.member == nil {
		return member.Progress{}
	}
	return v.member.Progress()
}

// trouble is why it cannot go on, with the exit code of that; nil if it can.
func (v *voice) trouble(p *member.Progress) error {
	switch {
	case v.err != nil && !v.opening:
		return v.of(v.err)
	case v.member != nil && !p.Checking && len(p.BadParts) > 0:
		return withCode(exitVerify, errors.New(badPartsText(p.BadParts, p.Path)))
	}
	return nil
}

// of names the .orch file in an error that does not.
func (v *voice) of(err error) error {
	if strings.HasPrefix(err.Error(), v.path) {
		return err
	}
	return fmt.Errorf("%s: %w", v.path, err)
}

// see takes in that its .orch file is there, and joins it if that is new or another one.
func (v *voice) see(now time.Time) {
	v.again = v.again || v.going
	var is stamp
	info, err := os.Stat(v.path)
	if err == nil {
		is = stamp{info.Size(), info.ModTime()}
	}
	switch {
	case v.opening || v.going:
	case v.stamp == (stamp{}) && v.err == nil, err == nil && is != v.stamp:
		v.stamp = is
		v.open(now)
	case err != nil && errors.Is(err, fs.ErrNotExist) && v.member != nil:
		v.stamp = stamp{}
		v.removed()
		v.again = true // it was named, and may come back
	}
}

// removed lets it go: its .orch file is not there any more.
func (v *voice) removed() {
	v.again = false
	if v.going || v.opening {
		return
	}
	if v.member == nil {
		delete(v.voices, v.path)
		return
	}
	v.showing.left(v)
	v.letGo()
}

// letGo ends its member. The content stays.
func (v *voice) letGo() {
	v.going = true
	if v.leave != nil {
		v.leave()
	}
}

// open reads the .orch file and joins it, on a goroutine of its own: a disk may take its time.
func (v *voice) open(now time.Time) {
	v.opening = true
	v.active++
	ctx, leave := context.WithCancel(v.ctx)
	old := v.file
	if v.member == nil {
		old = nil
	}
	go func() {
		v.room <- struct{}{}
		defer func() { <-v.room }()
		posted := make(chan struct{})
		f, m, err := v.join(ctx, old, posted)
		v.later(func() { v.opened(f, m, err, leave) })
		close(posted)
	}()
}

// join reads the .orch file and joins what it describes, unless that is joined already. What is
// there already may be complete before join returns, which is said only when posted is closed.
func (v *voice) join(
	ctx context.Context, old *orch.File, posted <-chan struct{},
) (*orch.File, *member.Member, error) {
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	f, err := openFile(v.path)
	if err != nil || old != nil && sameJoin(old, f) {
		return f, nil, err
	}
	if old != nil {
		return f, nil, errAnother
	}
	o := v.options
	if err := o.check(source{file: f, path: v.path}); err != nil {
		return f, nil, withCode(exitUsage, err)
	}
	key, err := v.program.keyOf(source{file: f, path: v.path})
	if err != nil {
		return f, nil, err
	}
	cfg := o.member
	cfg.File, cfg.Key = f, key
	cfg.Log = v.program.log.With().Str("composition", f.Name).Logger()
	cfg.OnComplete = func(path string) {
		go func() {
			<-posted
			v.later(func() { v.complete(path) })
		}()
	}
	m, err := v.host.Join(ctx, cfg)
	return f, m, err
}

// errAnother tells that an .orch file describes something else than before.
var errAnother = errors.New("it describes something else than before")

// sameJoin reports whether to join one is to join the other.
func sameJoin(a, b *orch.File) bool {
	ac, aErr := a.Conductors()
	bc, bErr := b.Conductors()
	return a.ID() == b.ID() && a.Private() == b.Private() && (aErr == nil) == (bErr == nil) && slices.Equal(ac, bc)
}

// opened takes in what came of open.
func (v *voice) opened(f *orch.File, m *member.Member, err error, leave context.CancelFunc) {
	v.opening = false
	v.active--
	switch {
	case m != nil:
		v.file, v.member, v.leave, v.err = f, m, leave, nil
		v.active++
		go func() {
			err := m.Wait()
			v.later(func() { v.ended(err) })
		}()
		v.showing.joined(v)
		if v.ctx.Err() != nil {
			v.letGo()
		}
		return
	case errors.Is(err, errAnother):
		v.showing.note("%s describes something else now, and is joined anew", v.path)
		v.letGo()
		v.again = true
	case err != nil && v.member != nil: // what runs goes on
		v.say(err)
	case err != nil:
		v.fail(err)
	}
	leave()
}

// ended takes in that its member has ended.
func (v *voice) ended(err error) {
	v.active--
	v.leave()
	v.member, v.finished = nil, false
	if v.ctx.Err() != nil {
		v.member = nil
		return
	}
	going, again := v.going, v.again
	v.going, v.again = false, false
	switch {
	case going && again:
		v.stamp, v.err, v.said = stamp{}, nil, ""
	case going:
		delete(v.voices, v.path)
	case err != nil:
		v.fail(err)
	default:
		v.fail(errors.New("it ended by itself"))
	}
}

// fail notes why it is not joined, and when it is tried again.
func (v *voice) fail(err error) {
	if v.ctx.Err() != nil {
		return
	}
	v.err = err
	v.pause = min(max(2*v.pause, retryFirst), retryMost)
	v.at = time.Now().Add(v.pause)
	v.say(err)
}

// say tells of an error that was not told last.
func (v *voice) say(err error) {
	if text := err.Error(); text != v.said {
		v.said = text
		v.showing.failed(v, err)
	}
}

// retry joins it again if it is time.
func (v *voice) retry(now time.Time) {
	if v.err != nil && v.member == nil && !v.opening && !now.Before(v.at) {
		v.open(now)
	}
	if v.member != nil && v.pause > 0 && v.err == nil && now.Sub(v.at) > retryMost {
		v.pause = 0 // it has run for a while
	}
}

// complete says that its content is complete, and starts the command that waits for it.
func (v *voice) complete(path string) {
	v.said = ""
	v.endOn(v.showing.complete(v, path))
	if v.options.hook.command == "" {
		v.finished = true
		return
	}
	v.hooked = true
	v.active++
	f := v.file
	go func() {
		var err error
		select {
		case v.hooks <- struct{}{}:
			err = v.options.hook.run(v.ctx, v.program.stop, path, f, v.program.terminal)
			<-v.hooks
		case <-v.ctx.Done():
		}
		v.later(func() { v.hookEnded(err) })
	}()
}

// hookEnded takes in how the command ended. With --exit its failure is the join's.
func (v *voice) hookEnded(err error) {
	v.active--
	v.hooked, v.finished = false, true
	v.program.terminal.flush()
	if err == nil {
		return
	}
	if limits := &v.options.limits; limits.exit && v.ensemble.options.limits.hooked == nil {
		v.ensemble.options.limits.hooked = err
	}
	v.showing.note("warning: %s: %v", v.name(), err)
}
