package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"orchestra/internal/cli/fetch"
	"orchestra/member"
	"orchestra/member/store"
	"orchestra/orch"
)

// joinOptions is what join, or get, was told.
type joinOptions struct {
	command  string // the one that it was
	limits   limits
	hook     hook
	progress string
	noInput  bool
	stdout   bool   // the content is written there
	page     string // the address of the page; "": none
	member   member.Config

	conductors, peers []string // as they were given
}

// mostArguments is how many compositions may be named: as many as anybody writes.
const mostArguments = 1 << 20

const limitUsage = "bytes a second: 40M, 1.5M; 0 or unlimited: none"

func newJoin(p *program) *command {
	o := joinOptions{command: "join"}
	c := &command{
		name: o.command, arguments: "FILE.orch|URL|MAGNET|DIR...", most: mostArguments,
		usage: "get what is missing and share it",
		description: "Gets the content of FILE.orch from other members, checks every part and shares what it has, until q, Ctrl-C\n" +
			"or a limit below. What is there already is shared. Prints the path of the content when it is complete,\n" +
			"or the content itself with --stdout: orchestra join --exit backup.tar.orch --stdout | tar x\n" +
			"The .orch file may be a torrent, a URL (http, https), a magnet link, or - for standard input.\n" +
			"Several files, and folders with .orch files in them, are joined by one process, on one port: folders are\n" +
			"watched, a file that comes is joined, and one that is removed let go, without its content.\n" +
			"orchestra status tells how far each is.",
		options: o.options(p),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the .orch file is missing")
		}
		if err := o.settle(p, c); err != nil {
			return err
		}
		for _, address := range arguments {
			if len(arguments) > 1 && orch.IsMagnet(address) {
				return c.mistake("%q is a magnet link, of which one is joined at a time", address)
			}
			if fetch.IsURL(address) && len(arguments) > 1 {
				address, _, _ = strings.Cut(address, "#") // a key is not repeated
				return c.mistake("%q is a URL, of which one is joined at a time", address)
			}
		}
		if isMany(arguments) {
			return runEnsemble(ctx, p, o, arguments)
		}
		from, err := p.openAt(ctx, arguments[0], o.meeting())
		if err != nil {
			return err
		}
		return runJoin(ctx, p, o, from)
	}
	return c
}

// options is the table of join's flags, of which get has all and share some.
func (o *joinOptions) options(p *program) []*option {
	o.progress = "auto"
	m, l := &o.member, &o.limits
	return []*option{
		{name: "dir", short: "d", value: "DIR", usage: "the folder for the content, the current one by default", set: into(&m.Dir, parseText)},
		{name: "listen", short: "l", value: "ADDR", usage: "the address for other members; the first free port from 10001 to 10020, or any", set: into(&m.Listen, parseListen(10001))},
		{name: "advertise", value: "HOST:PORT", usage: "where others reach this member, if it is elsewhere than they see it", set: into(&m.Advertise, parseHostPort)},
		{name: "conductor", value: "HOST:PORT", usage: "instead of the .orch file's; may be repeated", list: &o.conductors},
		{name: "peer", value: "HOST:PORT", usage: "a member to connect to; may be repeated", list: &o.peers},
		{name: "exit", short: "e", usage: "end when the content is complete", set: into(&l.exit, parseSwitch)},
		{name: "share-for", value: "DURATION", usage: "end so long after the content is complete: 10m, 1h30m", set: into(&l.shareFor, parseDuration)},
		{name: "ratio", value: "R", usage: "end when complete, and R times the content was sent", set: into(&l.ratio, parseRatio)},
		{name: "until-copies", value: "N", usage: "end when complete, and the conductor knows N complete copies, this one and those of members that left included", set: into(&l.copies, parseCount)},
		{name: "name", value: "LABEL", usage: "what orchestra status calls this member, 64 bytes at most; the host's name by default", set: into(&m.Name, parseLabel)},
		{name: "stall-timeout", value: "DURATION", usage: "give up when nothing came for so long", set: into(&l.stall, parseDuration)},
		{name: "upload-limit", value: "SIZE", usage: limitUsage, set: into(&m.UploadLimit, parseLimit)},
		{name: "download-limit", value: "SIZE", usage: limitUsage, set: into(&m.DownloadLimit, parseLimit)},
		{name: "only", value: "GLOB", usage: "of a folder, get only the files that match; may be repeated", list: &m.Only},
		{name: "except", value: "GLOB", usage: "of a folder, do not get the files that match; may be repeated", list: &m.Except},
		{name: "max-peers", value: "N", usage: "connections to other members at most", set: into(&m.MaxPeers, parseCount)},
		p.keyFileOption(),
		{name: "sequential", usage: "get the parts in order, more or less, for whoever reads the content while it comes", set: into(&m.Sequential, parseSwitch)},
		{name: "stdout", usage: "write the content to stdout in order as it is verified, besides into --dir; implies --sequential", set: into(&o.stdout, parseSwitch)},
		{
			name: "on-complete", value: "CMD", set: into(&o.hook.command, parseText),
			usage: "a command for the shell when the content is complete; it finds " + envPath + ", " + envContentName +
				" and " + envID,
		},
		{
			name: "on-complete-timeout", value: "DURATION", set: into(&o.hook.timeout, parseDuration),
			usage: "end that command after so long",
		},
		{name: "check", usage: "verify everything that is there, also what was verified before, and only then connect to anybody", set: into(&m.Check, parseSwitch)},
		{name: "replace", usage: "if something else stands under the content's name, move it aside to NAME.old when the content is complete", set: into(&m.Replace, parseSwitch)},
		{name: "repair", usage: "get bad parts of the content anew, in place", set: into(&m.Repair, parseSwitch)},
		{name: "no-times", usage: "leave files with the time at which they are written here, not the composition's", set: into(&m.NoTimes, parseSwitch)},
		{name: "progress", value: "auto|bar|plain|none", usage: "how progress is shown (auto: a bar on a terminal, else lines)", set: into(&o.progress, oneOf("auto", "bar", "plain", "none"))},
		{
			name: "page", value: "ADDR", set: into(&o.page, parseListen(0)),
			usage: "serve a page there that shows what this member does: " +
				"127.0.0.1:0 is any free port of this machine alone",
		},
		{name: "no-input", usage: "read no key", set: into(&o.noInput, parseSwitch)},
	}
}

// settle checks what the flags say together, and makes the member's configuration out of it.
func (o *joinOptions) settle(p *program, c *command) error {
	for _, address := range o.conductors {
		read, err := orch.ReadConductor(address)
		if err != nil {
			return c.mistake("--conductor: %v", err)
		}
		o.member.Conductors = append(o.member.Conductors, read)
	}
	for _, address := range o.peers {
		if _, err := parseHostPort(address); err != nil {
			return c.mistake("--peer: %v", err)
		}
		o.member.Peers = append(o.member.Peers, address)
	}
	if o.stdout {
		if err := checkPour(p); err != nil {
			return c.mistake("%v", err)
		}
		o.member.Sequential = true
	}
	o.member.AwaitCopies = o.limits.copies
	o.member.Records = p.records()
	return nil
}

// meeting is where the user said that others are.
func (o *joinOptions) meeting() meeting {
	return meeting{o.member.Conductors, o.member.Peers, o.limits.stall}
}

// runJoin runs a member until it is told to end or a limit is reached.
func runJoin(ctx context.Context, p *program, o joinOptions, from source) error {
	f := from.file
	o.member.Conductors = from.conductors(o.member.Conductors)
	o.member.Peers = append(o.member.Peers, from.peers...)
	if len(o.member.Only) == 0 {
		o.member.Files = from.chosen
	}
	if err := o.check(from); err != nil {
		return &usageError{command: o.command, text: err.Error()}
	}
	key, err := p.keyOf(from)
	if err != nil {
		return err
	}
	var listener net.Listener
	if o.page != "" {
		if listener, err = listenForPage(o.page); err != nil {
			return err
		}
		defer listener.Close()
	}
	completed := make(chan string, 1)
	cfg := o.member
	cfg.File, cfg.Key, cfg.Log, cfg.Version = f, key, p.log, pageVersion()
	cfg.OnComplete = func(path string) { completed <- path }
	m, err := member.New(cfg)
	if pattern := new(store.PatternError); errors.As(err, &pattern) {
		return &usageError{command: o.command, text: harmless(pattern.Text)}
	}
	if err != nil {
		return err
	}
	j := &joining{program: p, options: o, file: f, member: m, completed: completed}
	if listener != nil {
		j.page = newJoinPage(listener, from, m, o.member.Name)
	}
	return j.run(ctx)
}

// check says what of the options does not go with the composition.
func (o *joinOptions) check(from source) error {
	f := from.file
	if beside := from.beside(); o.member.Dir == "" && beside != "" {
		return fmt.Errorf("%s is there, and %s would get another one into the current folder "+
			"(--dir . if that is meant); did you mean --dir %s?", beside, o.command, filepath.Dir(beside))
	}
	if o.stdout && f.IsFolder() {
		return fmt.Errorf("%s is a folder, and --stdout writes a single file; leave it out", f.Name)
	}
	all, err := f.Conductors()
	if (err != nil || len(all) == 0) && o.limits.copies > 0 && len(o.member.Conductors) == 0 {
		return errors.New("--until-copies needs a conductor, which counts the copies, " +
			"and the .orch file names none; --conductor does")
	}
	return nil
}
