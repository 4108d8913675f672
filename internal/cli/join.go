package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/term"

	"orchestra/member"
	"orchestra/member/store"
	"orchestra/orch"
)

// joinOptions is what join was told.
type joinOptions struct {
	path       string // of the .orch file
	limits     limits
	onComplete string
	progress   string
	noInput    bool
	stdout     bool // the content is written there
	member     member.Config
}

func newJoin(p *program) *command {
	o := joinOptions{progress: "auto"}
	m, l := &o.member, &o.limits
	var conductors, peers []string
	c := &command{
		name: "join", arguments: "FILE.orch", most: 1,
		usage: "get what is missing and share it",
		description: "Gets the content of FILE.orch from other members, checks every part and shares what it has, until q, Ctrl-C\n" +
			"or a limit below. What is there already is shared. Prints the path of the content when it is complete,\n" +
			"or the content itself with --stdout: orchestra join --exit backup.tar.orch --stdout | tar x",
		options: []*option{
			{name: "dir", short: "d", value: "DIR", usage: "the folder for the content, the current one by default", set: into(&m.Dir, parseText)},
			{name: "listen", short: "l", value: "ADDR", usage: "the address for other members; the first free port from 10001 to 10020, or any", set: into(&m.Listen, parseListen(10001))},
			{name: "advertise", value: "HOST:PORT", usage: "where others reach this member, if it is elsewhere than they see it", set: into(&m.Advertise, parseHostPort)},
			{name: "conductor", value: "HOST:PORT", usage: "instead of the .orch file's; may be repeated", list: &conductors},
			{name: "peer", value: "HOST:PORT", usage: "a member to connect to; may be repeated", list: &peers},
			{name: "exit", short: "e", usage: "end when the content is complete", set: into(&l.exit, parseSwitch)},
			{name: "share-for", value: "DURATION", usage: "end so long after the content is complete: 10m, 1h30m", set: into(&l.shareFor, parseDuration)},
			{name: "ratio", value: "R", usage: "end when complete, and R times the content was sent", set: into(&l.ratio, parseRatio)},
			{name: "until-copies", value: "N", usage: "end when complete, and the conductor knows N complete copies, this one and those of members that left included", set: into(&l.copies, parseCount)},
			{name: "name", value: "LABEL", usage: "what orchestra status calls this member, 64 bytes at most; the host's name by default", set: into(&m.Name, parseLabel)},
			{name: "stall-timeout", value: "DURATION", usage: "give up when nothing came for so long", set: into(&l.stall, parseDuration)},
			{name: "upload-limit", value: "SIZE", usage: "bytes a second: 40M", set: into(&m.UploadLimit, parseSize)},
			{name: "download-limit", value: "SIZE", usage: "bytes a second: 40M", set: into(&m.DownloadLimit, parseSize)},
			{name: "only", value: "GLOB", usage: "of a folder, get only the files that match; may be repeated", list: &m.Only},
			{name: "except", value: "GLOB", usage: "of a folder, do not get the files that match; may be repeated", list: &m.Except},
			{name: "max-peers", value: "N", usage: "connections to other members at most", set: into(&m.MaxPeers, parseCount)},
			{name: "sequential", usage: "get the parts in order, more or less, for whoever reads the content while it comes", set: into(&m.Sequential, parseSwitch)},
			{name: "stdout", usage: "write the content to stdout in order as it is verified, besides into --dir; implies --sequential", set: into(&o.stdout, parseSwitch)},
			{name: "on-complete", value: "CMD", usage: "a command for the shell when the content is complete; it finds ORCHESTRA_PATH, ORCHESTRA_NAME and ORCHESTRA_ID", set: into(&o.onComplete, parseText)},
			{name: "check", usage: "verify everything that is there before connecting to anybody", set: into(&m.Check, parseSwitch)},
			{name: "replace", usage: "if something else stands under the content's name, move it aside to NAME.old when the content is complete", set: into(&m.Replace, parseSwitch)},
			{name: "repair", usage: "get bad parts of the content anew, in place", set: into(&m.Repair, parseSwitch)},
			{name: "no-times", usage: "leave files with the time at which they are written here, not the composition's", set: into(&m.NoTimes, parseSwitch)},
			{name: "progress", value: "auto|bar|plain|none", usage: "how progress is shown (auto: a bar on a terminal, else lines)", set: into(&o.progress, oneOf("auto", "bar", "plain", "none"))},
			{name: "no-input", usage: "read no key", set: into(&o.noInput, parseSwitch)},
		},
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the .orch file is missing")
		}
		for _, address := range conductors {
			read, err := orch.ReadConductor(address)
			if err != nil {
				return c.mistake("--conductor: %v", err)
			}
			m.Conductors = append(m.Conductors, read)
		}
		for _, address := range peers {
			if _, err := parseHostPort(address); err != nil {
				return c.mistake("--peer: %v", err)
			}
			m.Peers = append(m.Peers, address)
		}
		if o.stdout {
			if err := checkPour(p); err != nil {
				return c.mistake("%v", err)
			}
			m.Sequential = true
		}
		o.path, m.AwaitCopies = arguments[0], l.copies
		return runJoin(ctx, p, o)
	}
	return c
}

// runJoin runs a member until it is told to end or a limit is reached.
func runJoin(ctx context.Context, p *program, o joinOptions) error {
	f, err := openComposition(o.path)
	if err != nil {
		return err
	}
	if o.stdout && f.IsFolder() {
		return &usageError{command: "join", text: fmt.Sprintf("%s is a folder, and --stdout writes a single file; leave it out", f.Name)}
	}
	if all, err := f.Conductors(); (err != nil || len(all) == 0) && o.limits.copies > 0 && len(o.member.Conductors) == 0 {
		return &usageError{command: "join", text: "--until-copies needs a conductor, which counts the copies, and the .orch file names none; --conductor does"}
	}
	completed := make(chan string, 1)
	cfg := o.member
	cfg.File, cfg.Log = f, p.log
	cfg.OnComplete = func(path string) { completed <- path }
	m, err := member.New(cfg)
	if pattern := new(store.PatternError); errors.As(err, &pattern) {
		return &usageError{command: "join", text: harmless(pattern.Text)}
	}
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s := newShowing(p, f, o.progress)
	s.piped, s.pouring = o.stdout, o.stdout
	readKeys := !o.noInput && term.IsTerminal(int(p.stdin.Fd()))
	if err := s.start(m.Addr().String(), readKeys); err != nil {
		end(err)
	}

	keys := make(chan struct{})
	go func() {
		defer close(keys)
		p.terminal.watch(ctx, readKeys, p.stop.quit)
	}()
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	var poured <-chan error // the end of writing to stdout
	if o.stdout {
		poured = pour(ctx, m, f, p.stdout)
	}

	cores := newCores()
	defer cores.end()
	look := time.NewTicker(s.every())
	defer look.Stop()
	var hooked chan error // the end of the command that --on-complete names
	finished := false
	judge := func(now time.Time, progress member.Progress) {
		if err := o.limits.reached(now, &progress, finished && !s.pouring); err != nil {
			end(err)
		}
	}
	for {
		select {
		case now := <-look.C:
			progress := m.Progress()
			cores.fit(now, progress)
			if err := s.look(now, progress); err != nil {
				end(err)
			}
			judge(now, progress)
		case path := <-completed:
			if err := s.complete(path); err != nil {
				end(err)
			}
			if finished = o.onComplete == ""; !finished {
				hooked = make(chan error, 1)
				go func() { hooked <- runHook(ctx, p.stop, o.onComplete, path, f, p.terminal) }()
			}
			judge(time.Now(), m.Progress()) // --exit need not wait for the next look
		case err := <-hooked:
			p.terminal.flush()
			if err != nil {
				p.terminal.line("warning: the --on-complete command failed: " + err.Error())
			}
			hooked, finished = nil, true
			judge(time.Now(), m.Progress())
		case err := <-poured:
			if poured = nil; err != nil {
				end(err)
			} else {
				s.poured()
			}
		case err := <-ended:
			end(nil)
			if hooked != nil {
				<-hooked
				p.terminal.flush()
			}
			<-keys
			return s.end(ctx, m.Progress(), err)
		}
	}
}
