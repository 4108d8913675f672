package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"orchestra/conduct"
	"orchestra/internal/cli/lan"
	"orchestra/member"
	"orchestra/orch"
	"orchestra/proto/secure"
)

// A sharing is a conductor and the members that share by it, while they run. But for keys, one
// goroutine uses it.
type sharing struct {
	program *program
	options *shareOptions
	shelf   *conduct.Shelf
	key     *secure.Key // of the private swarms; nil: they are open
	all     []*shared

	conductor *conduct.Conductor
	inside    string   // where this process reaches it
	addresses []string // where others do, the likeliest first
	stop      context.CancelFunc
	ended     chan error // of the conductor
	quiet     func()     // ends announcing; nil: nothing is announced

	ran   bool // the members do, or did
	began time.Time
	up    meter
}

// A shared is one composition, the member that has it, and what its conductor knows.
type shared struct {
	file      *orch.File
	published string // the name of its .orch file at the conductor
	member    *member.Member
	status    conduct.Status
	said      saidStatus
}

// conduct starts the conductor.
func (s *sharing) conduct(ctx context.Context) error {
	log := s.program.log
	if !s.program.common.verbose {
		// who comes and goes is shown anyway
		log = log.Level(max(log.GetLevel(), zerolog.WarnLevel))
	}
	cfg, err := s.options.conduct.config(s.program, log)
	if err != nil {
		return err
	}
	allow := cfg.Allow
	if s.key != nil {
		cfg.Keys = []*secure.Key{s.key}
	}
	cfg.Publish, cfg.Name = s.shelf, s.options.join.member.Name
	cfg.Allow = func(id orch.ID) bool { return s.shelf.Has(id) || allow != nil && allow(id) }
	cfg.Public = func() string { return s.addresses[0] }
	if s.conductor, err = conduct.New(cfg); err != nil {
		return withCode(exitNetwork, err)
	}
	at := s.conductor.Addr()
	s.inside, s.addresses = insideOf(at), outsideOf(at, lan.Addresses())
	if len(s.options.external) > 0 {
		s.addresses = nil
		for _, address := range s.options.external {
			if read, err := orch.ReadConductor(address); err == nil { // it was checked
				s.addresses = append(s.addresses, read)
			}
		}
	}
	var run context.Context
	run, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.conductor.Run(run) }()
	return nil
}

// insideOf is where this machine reaches what listens at an address.
func insideOf(at netip.AddrPort) string {
	host := at.Addr()
	if host.IsUnspecified() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1}) // both families listen, or this one does
	}
	return netip.AddrPortFrom(host, at.Port()).String()
}

// outsideOf is where others may reach what listens at an address of this machine.
func outsideOf(at netip.AddrPort, here []netip.Addr) []string {
	if !at.Addr().IsUnspecified() {
		return []string{at.String()}
	}
	var all []string
	for _, a := range here {
		if a.Is4() || at.Addr().Is6() {
			all = append(all, netip.AddrPortFrom(a, at.Port()).String())
		}
	}
	if len(all) == 0 {
		all = []string{insideOf(at)}
	}
	return all
}

// tell prints what others type to get what is shared.
func (s *sharing) tell() error {
	p := s.program
	if !s.options.conduct.noAnnounce && s.key == nil {
		s.quiet = p.announce(context.WithoutCancel(p.stop.ctx), s.conductor)
	}
	switch {
	case s.conductor.Addr().Addr().IsLoopback():
		p.terminal.note("note: it listens on %s alone, so nobody elsewhere can get it", s.conductor.Addr().Addr())
	case onlyLocal(s.addresses):
		p.terminal.note("warning: this machine has no address that others could reach; is it on a network?")
	}
	var names []string
	for _, one := range s.all {
		var urls []string
		for _, address := range s.addresses {
			urls = append(urls, "http://"+urlHost(address)+conduct.PublishedPath(one.published)+s.fragment())
		}
		names = append(names, one.file.Name)
		if s.key == nil {
			p.terminal.note("sharing %s, %s; others get it by:", one.file.Name, bytesText(one.file.Size))
		} else {
			p.terminal.note("sharing %s, %s, in a private swarm; who has this line, with the key in it, gets it:",
				one.file.Name, bytesText(one.file.Size))
		}
		event := shareEvent{
			Event: "sharing", ID: one.file.ID().String(), Name: one.file.Name,
			Command: "orchestra get " + urlWord(urls[0]), URLs: urls, Private: one.file.Private(),
		}
		if s.key == nil {
			event.Page = s.page()
		}
		if err := p.terminal.aside(func() error { return p.result(event, event.Command) }); err != nil {
			return err
		}
		if others := urls[1:]; len(others) > 0 {
			for i := range others {
				others[i] = urlWord(others[i])
			}
			p.terminal.note("  or, if they cannot reach that, %s", strings.Join(others, " or "))
		}
	}
	if s.quiet != nil && lan.Reaches(s.conductor.Addr()) {
		for _, name := range names {
			p.terminal.note("on the same network this is enough: orchestra get %s", shellWord(name))
		}
	}
	if s.key != nil {
		return nil // the page tells nothing of what is private
	}
	p.terminal.note("page: %s", s.page())
	if s.options.qr {
		return s.showCode()
	}
	return nil
}

// fragment is the end of a URL that carries the key, and is never sent.
func (s *sharing) fragment() string {
	if s.key == nil {
		return ""
	}
	return "#" + s.key.Text()
}

// statuses asks the conductor how far the members are of what is shared.
func (s *sharing) statuses(ctx context.Context, members int) ([]conduct.Status, error) {
	if s.key != nil {
		return s.conductor.PrivateStatuses(ctx, s.key, members, s.ids()...)
	}
	return s.conductor.Statuses(ctx, members, s.ids()...)
}

// openKey reads the key, or makes one up; one in a file stays for the next time.
func (s *sharing) openKey() (err error) {
	path := s.options.compose.keyFile
	if path == "" {
		s.key, err = secure.NewKey()
		return err
	}
	var isNew bool
	if s.key, isNew, err = s.program.keyAt(path); err == nil && isNew {
		err = withCode(exitDisk, keepKey(path, s.key))
	}
	return err
}

// page is the address of the conductor's page, by which others reach it if they do.
func (s *sharing) page() string {
	at, address := s.conductor.PageAddr(), s.addresses[0]
	if at != s.conductor.Addr() {
		address = outsideOf(at, lan.Addresses())[0]
	}
	return "http://" + urlHost(address) + "/"
}

// urlHost is HOST:PORT as it stands in a URL.
func urlHost(address string) string { return strings.ReplaceAll(address, "%", "%25") }

// urlWord is a URL of this program's as one word of a command line: brackets mean something to zsh,
// and # to some shells.
func urlWord(url string) string {
	if strings.ContainsAny(url, "[]#") {
		return quoted(url)
	}
	return url
}

// shellWord is a name as one word of a command line.
func shellWord(name string) string {
	if name != "" && strings.Trim(name, titleLetters) == "" && !strings.HasPrefix(name, "-") {
		return name
	}
	return quoted(name)
}

// A shareEvent is the line of share --json for each composition (docs/scripting.md).
type shareEvent struct {
	Event   string   `json:"event"`
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Command string   `json:"command"`
	URLs    []string `json:"urls"`
	Page    string   `json:"page"`
	Private string   `json:"private"` // what tells the swarm's key apart; empty: it is open
}

// A shareStatus is a line of share --json that says who has how much.
type shareStatus struct {
	Event string `json:"event"`
	statusLine
}

// run shares until it is told to end, a limit is reached, or something fails.
func (s *sharing) run(ctx context.Context) error {
	p := s.program
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.ran, s.began = true, time.Now()
	readKeys := !s.options.join.noInput && term.IsTerminal(int(p.stdin.Fd()))
	if readKeys {
		p.terminal.note("q ends it")
	}
	last := &lastCopy{terminal: p.terminal, needed: s.needed, again: "share again", quit: p.stop.quit}
	keys := make(chan struct{})
	go func() {
		defer close(keys)
		p.terminal.watch(ctx, readKeys, last.pressed)
	}()
	var members sync.WaitGroup
	failed := make(chan error, len(s.all))
	for _, one := range s.all {
		members.Go(func() {
			if err := one.member.Run(ctx); err != nil {
				failed <- fmt.Errorf("%s: %w", one.file.Name, err)
			}
		})
	}
	err := s.look(ctx, failed)
	cancel(nil)
	members.Wait()
	<-keys
	p.terminal.wipe()
	s.summary()
	last.ended(context.Cause(p.stop.ctx))
	return err
}

// look shows how it goes until it ends, and returns why if that is an error.
func (s *sharing) look(ctx context.Context, failed <-chan error) error {
	tick := time.NewTicker(glanceEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil // what is shared is complete: to be stopped is the end that it has
		case err := <-failed:
			return err
		case err := <-s.ended:
			s.ended <- err // end waits for it
			return withCode(exitNetwork, errors.Join(errors.New("the conductor ended"), err))
		case now := <-tick.C:
			if err := s.ask(ctx); err != nil {
				continue // it ends
			}
			if err := s.show(now); err != nil {
				return err
			}
			if s.enough(now) {
				return nil
			}
		}
	}
}

// ask asks the conductor who has how much.
func (s *sharing) ask(ctx context.Context) error {
	all, err := s.statuses(ctx, fewest)
	for i := range all {
		s.all[i].status = all[i]
	}
	return err
}

func (s *sharing) ids() [][20]byte {
	ids := make([][20]byte, len(s.all))
	for i, one := range s.all {
		ids[i] = one.file.ID()
	}
	return ids
}

// enough reports whether a limit is reached by all that is shared.
func (s *sharing) enough(now time.Time) bool {
	l := &s.options.join.limits
	if l.shareFor > 0 && now.Sub(s.began) >= l.shareFor {
		return true
	}
	copies, ratio := l.copies > 0, l.ratio > 0
	for _, one := range s.all {
		progress := one.member.Progress()
		copies = copies && one.status.Complete >= l.copies
		ratio = ratio && float64(progress.Uploaded) >= l.ratio*float64(progress.Bytes)
	}
	return copies || ratio
}

// needed says who still needs this program.
func (s *sharing) needed() string {
	ctx := context.WithoutCancel(s.program.stop.ctx) // it runs until end
	all, err := s.statuses(ctx, 0)
	if err != nil {
		return ""
	}
	for i, one := range s.all {
		progress := one.member.Progress()
		if text := neededBy(&all[i], &progress); text != "" {
			if len(s.all) > 1 {
				text = one.file.Name + ": " + text
			}
			return text
		}
	}
	return ""
}

// summary says what was sent.
func (s *sharing) summary() {
	for _, one := range s.all {
		sent := one.member.Progress().Uploaded
		s.program.terminal.note("%s: %s, %s sent", one.file.Name, statusText(&one.status), bytesText(sent))
	}
}

// end ends the conductor, after the members, which tell it that they leave.
func (s *sharing) end() error {
	if s.quiet != nil {
		s.quiet()
	}
	var err error
	if !s.ran {
		for _, one := range s.all {
			err = errors.Join(err, one.member.Run(endedContext(s.program.stop.ctx)))
		}
	}
	s.stop()
	return errors.Join(err, withCode(exitNetwork, <-s.ended))
}
