package cli

import (
	"context"
	"errors"
	"net"
	"strings"

	"orchestra/internal/cli/fetch"
	"orchestra/member"
	"orchestra/member/store"
	"orchestra/orch"
)

// mostArguments is how many compositions may be named: as many as anybody writes.
const mostArguments = 1 << 20

func newJoin(p *program) *command {
	o := joinOptions{command: "join"}
	c := &command{
		name: o.command, arguments: "FILE.orch|URL|MAGNET|DIR...", most: mostArguments,
		usage: "get what is missing and share it",
		description: "Gets the content of FILE.orch from other members, checks every part " +
			"and shares what it has, until q, Ctrl-C\n" +
			"or a limit below. What is there already is shared. Prints the path of " +
			"the content when it is complete,\n" +
			"or the content itself with --stdout: orchestra join --exit " +
			"backup.tar.orch --stdout | tar x\n" +
			"The .orch file may be a torrent, a URL (http, https), a magnet link, " +
			"or - for standard input.\n" +
			"Several files, and folders with .orch files in them, are joined by " +
			"one process, on one port: folders are\n" +
			"watched, a file that comes is joined, and one that is removed let go, " +
			"without its content.\n" +
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
