package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"orchestra/conduct"
	"orchestra/member"
	"orchestra/orch"
)

// shareOptions is what share was told: some of what compose, conduct and join are.
type shareOptions struct {
	compose  composeOptions
	conduct  conductOptions
	join     joinOptions
	listen   string // the member's
	qr       bool
	paths    []string
	external []string // HOST:PORT of the conductor, as the user knows it
}

func newShare(p *program) *command {
	o := shareOptions{conduct: conductOptions{listen: defaultListen}, join: joinOptions{command: "share"}}
	joins := o.join.options(p)
	c := &command{
		name: "share", arguments: "FILE|FOLDER...", most: mostShared,
		usage: "share files and folders, and print how others get them",
		description: "Describes each FILE, lets others find it here and shares it, until q or Ctrl-C: compose, conduct and join in\n" +
			"one. Prints the command that gets it, with this machine's address: orchestra get http://HOST:9999/NAME.orch\n" +
			"On the same network, orchestra get NAME is enough. All of FILE is read before anybody can get it, since\n" +
			"its name among members is made of all checksums. Nothing is written.",
		options: slices.Concat(
			[]*option{
				{
					name: "listen", short: "l", value: "ADDR", bare: defaultListen,
					set:   into(&o.conduct.listen, parseListen(orch.DefaultPort)),
					usage: "the address of the conductor, where others ask first, " + defaultListen + " by default",
				},
				{name: "qr", usage: "show a QR code of the page's address", set: into(&o.qr, parseSwitch)},
				{
					name: "conductor", short: "c", value: "HOST:PORT", list: &o.external,
					usage: "where others reach this machine, instead of its own addresses; may be repeated",
				},
				{
					name: "member-listen", value: "ADDR", set: into(&o.listen, parseListen(10001)),
					usage: "the address for other members, as join --listen; of a single FILE",
				},
				o.compose.partSizeOption(),
			},
			o.compose.options(), o.compose.privateOptions("a new one each time by default"), o.conduct.options(),
			pick(joins, "advertise", "name", "upload-limit", "download-limit", "max-peers",
				"until-copies", "share-for", "ratio", "progress", "no-input"),
		),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the file to share is missing")
		}
		if err := (orch.Line{Key: "comment", Value: o.compose.comment}).Validate(); err != nil {
			return c.mistake("--comment: %v", err)
		}
		for _, address := range o.external {
			if _, err := orch.ReadConductor(address); err != nil {
				return c.mistake("--conductor: %v", err)
			}
		}
		if single := o.listen != "" || o.join.member.Advertise != ""; single && len(arguments) > 1 {
			return c.mistake("--member-listen and --advertise are of one member, and each FILE has its own; share one FILE")
		}
		names := map[string]string{}
		for _, path := range arguments {
			if err := checkShared(path); err != nil {
				return c.mistake("%v", err)
			}
			absolute, err := filepath.Abs(path)
			if err != nil {
				return withCode(exitInput, err)
			}
			name := filepath.Base(absolute)
			if other, twice := names[name]; twice {
				return c.mistake("%q and %q have one name; share them one by one", other, path)
			}
			names[name] = path
		}
		switch {
		case o.compose.keyFile != "" && !o.compose.private:
			return c.mistake("--key-file is where the key of --private is; say --private too")
		case o.compose.private && o.qr:
			return c.mistake("--qr shows the address of the page, " +
				"which tells nothing of a --private swarm; leave one out")
		}
		if err := o.join.settle(p, c); err != nil {
			return err
		}
		o.paths = arguments
		return runShare(ctx, p, &o)
	}
	return c
}

// mostShared is how many files and folders one share takes.
const mostShared = 100

// pick takes the rows of some flags from a table.
func pick(table []*option, names ...string) []*option {
	var rows []*option
	for _, o := range table {
		if slices.Contains(names, o.name) {
			rows = append(rows, o)
		}
	}
	return rows
}

// checkShared finds what is rather meant for another command.
func checkShared(path string) error {
	switch {
	case path == "-":
		return errors.New("standard input cannot be shared: it has no name, and members read the content again; " +
			"save it to a file and share that (a file called - is ./-)")
	case strings.EqualFold(filepath.Ext(path), orchExt):
		if _, err := openFile(path); err == nil {
			return fmt.Errorf("%q describes what others are to get; to share that again, "+
				"conduct --publish %s beside join %s", path, path, path)
		}
	}
	return nil
}

// runShare composes, conducts and joins until it is told to end or a limit is reached.
func runShare(ctx context.Context, p *program, o *shareOptions) (err error) {
	s := &sharing{program: p, options: o, shelf: new(conduct.Shelf)}
	if o.compose.private {
		if err := s.openKey(); err != nil {
			return err
		}
	}
	if err := s.conduct(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	for _, path := range o.paths {
		if err := s.add(ctx, path); err != nil {
			return err
		}
	}
	if err := s.tell(); err != nil {
		return err
	}
	return s.run(ctx)
}

// add composes and publishes a file, and makes the member that shares it.
func (s *sharing) add(ctx context.Context, path string) error {
	o := s.options.compose
	o.path, o.conductors = path, s.addresses
	f, err := o.compose(ctx, s.program, "reading "+filepath.Base(path))
	switch {
	case ctx.Err() != nil:
		return stopped(ctx, "nothing is shared yet")
	case err != nil:
		return err
	}
	if s.key != nil {
		f.SetPrivate(s.key.ID())
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return withCode(exitInput, err)
	}
	cfg := s.options.join.member
	cfg.File, cfg.Dir, cfg.Log = f, filepath.Dir(absolute), s.program.log
	cfg.Version, cfg.Key = pageVersion(), s.key
	cfg.Listen, cfg.Conductors, cfg.NoTimes = s.options.listen, []string{s.inside}, true
	m, err := member.New(cfg)
	if err != nil {
		return err
	}
	one := &shared{file: f, member: m, published: f.Name + orchExt}
	if s.key != nil { // what is asked for could be heard if somebody forgets the key
		one.published = s.key.PathOf(f.Name) + orchExt
	}
	s.all = append(s.all, one)
	if err := s.shelf.Put(one.published, f); err != nil {
		return withCode(exitInput, err)
	}
	return nil
}
