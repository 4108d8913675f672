package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"

	"orchestra/conduct"
	"orchestra/internal/cli/lan"
	"orchestra/orch"
)

// conductOptions is what conduct was told.
type conductOptions struct {
	listen        string
	allow         []string // .orch files, and folders of them
	maxMembers    int
	peers         int
	maxPerAddress int
	adminListen   string
	pageHosts     []string
	pageToken     string   // the file that holds it
	publish       []string // .orch files, and folders of them
	keyFiles      []string
	noAnnounce    bool
	udp           bool
}

// options is the table of the flags that share has too.
func (o *conductOptions) options() []*option {
	return []*option{
		{name: "allow", value: "FILE|DIR", usage: "only the compositions of these .orch files; may be repeated", list: &o.allow},
		{name: "udp", usage: "answer BitTorrent clients over UDP on that port too", set: into(&o.udp, parseSwitch)},
		{name: "max-members", value: "N", usage: "members listed at a time, over all compositions", set: into(&o.maxMembers, parseCount)},
		{name: "peers", value: "N", usage: "members told to a newcomer, 50 at most", set: into(&o.peers, atMost(50))},
		{name: "max-per-address", value: "N", usage: "members from one address, 1,024 by default", set: into(&o.maxPerAddress, parseCount)},
		{name: "no-announce", usage: "do not let others on private networks find what is published (mDNS)", set: into(&o.noAnnounce, parseSwitch)},
		{
			name: "admin-listen", value: "ADDR", set: into(&o.adminListen, parseListen(orch.DefaultPort+1)),
			usage: "serve the page and the metrics there instead",
		},
		{
			name: "page-token-file", value: "FILE", set: into(&o.pageToken, parseText),
			usage: "the page is for those who know what stands in FILE, and shows them all addresses",
		},
		{
			name: "page-host", value: "NAME", list: &o.pageHosts,
			usage: "a name under which browsers find the page, if it is one of the public DNS; may be repeated",
		},
	}
}

// config is what a conductor is made with. The error is the user's.
func (o *conductOptions) config(p *program, log zerolog.Logger) (cfg conduct.Config, err error) {
	cfg = conduct.Config{
		Listen: o.listen, MaxMembers: o.maxMembers, Peers: o.peers, MaxPerAddress: o.maxPerAddress, Log: log,
		UDP: o.udp, Version: pageVersion(), AdminListen: o.adminListen, PageHosts: o.pageHosts,
	}
	if cfg.Allow, err = allowed(o.allow); err != nil {
		return cfg, withCode(exitInput, err)
	}
	if cfg.Keys, err = p.readKeys(o.keyFiles); err != nil {
		return cfg, err
	}
	if cfg.PageToken, err = readToken(o.pageToken); err != nil {
		return cfg, withCode(exitInput, err)
	}
	return cfg, nil
}

func newConduct(p *program) *command {
	o := conductOptions{listen: defaultListen}
	listen := &option{
		name: "listen", short: "l", value: "ADDR", bare: defaultListen, set: into(&o.listen, parseListen(orch.DefaultPort)),
		usage: "the address to listen on, " + defaultListen + " by default",
	}
	c := &command{
		name: "conduct", arguments: "[ADDR]", most: 1, serves: true,
		usage: "keep the list of members, for them to find each other",
		description: "Listens on ADDR (" + defaultListen + ") and tells members of each other until it is stopped. Compositions\n" +
			"need no registration, and no content passes through it. With --publish others get the .orch files from\n" +
			"it too: orchestra get http://HOST:9999/NAME.orch, or orchestra get NAME on the same network.",
		options: append([]*option{
			listen,
			{
				name: "publish", value: "FILE.orch|DIR", list: &o.publish,
				usage: "let others get these .orch files at /NAME.orch; a folder is watched; may be repeated",
			},
			{
				name: "key-file", value: "FILE", list: &o.keyFiles,
				usage: "a key of private swarms that gather here too, unseen by others; may be repeated",
			},
		}, o.options()...),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) > 0 {
			if listen.given {
				return c.mistake("the address is given twice, as %q and with --listen; leave one out", arguments[0])
			}
			if err := listen.set(arguments[0]); err != nil {
				return c.mistake("the address: %v", err)
			}
		}
		return runConduct(ctx, p, o)
	}
	return c
}

const defaultListen = ":9999"

// A conducting is the line of --json that says where the conductor listens (docs/scripting.md).
type conducting struct {
	Event   string `json:"event"`
	Address string `json:"address"`
	Page    string `json:"page"`
}

func runConduct(ctx context.Context, p *program, o conductOptions) error {
	cfg, err := o.config(p, p.log)
	if err != nil {
		return err
	}
	if len(o.publish) > 0 {
		if cfg.Publish, err = conduct.OpenShelf(p.log, o.publish...); err != nil {
			return withCode(exitInput, unpublished(err))
		}
	}
	var c *conduct.Conductor
	cfg.Public = func() string { return outsideOf(c.Addr(), lan.Addresses())[0] }
	c, err = conduct.New(cfg)
	if err != nil {
		return withCode(exitNetwork, err)
	}
	address := c.Addr().String()
	shown := pageURL(c.PageAddr())
	if err := p.result(conducting{"listening", address, shown}, "conducting on "+address); err != nil {
		return errors.Join(err, c.Run(endedContext(ctx)))
	}
	if !p.common.json {
		p.terminal.note("its page is at %s", shown)
	}
	if len(o.publish) > 0 && !o.noAnnounce {
		defer p.announce(ctx, c)()
	}
	return withCode(exitNetwork, c.Run(ctx))
}

// announce lets others on private networks find a conductor, until ctx ends or what it returns is
// called. That they cannot is no reason not to go on.
func (p *program) announce(ctx context.Context, c *conduct.Conductor) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := lan.Announce(ctx, c.Addr(), func(err error) {
			p.log.Warn().Err(err).Msg("others on the network may not find this conductor by themselves")
		})
		if err != nil {
			p.log.Warn().Err(err).Msg("others on the network cannot find this conductor by themselves")
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// endedContext is a context that has ended, with which a conductor closes what it opened.
func endedContext(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// allowed makes the conductor's question out of the .orch files at the paths and in the folders
// there; nil if there is no path.
func allowed(paths []string) (func(id orch.ID) bool, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	ids := make(map[orch.ID]bool)
	for _, path := range paths {
		files := []string{path}
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read what --allow names: %w", err)
		}
		if info.IsDir() {
			if files, err = compositionsIn(path); err != nil {
				return nil, err
			}
		}
		for _, file := range files {
			f, err := orch.Open(file)
			if err != nil {
				return nil, err
			}
			if f.Private() == "" { // else its key is what lets it in
				ids[f.ID()] = true
			}
		}
	}
	return func(id orch.ID) bool { return ids[id] }, nil
}

func compositionsIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.EqualFold(filepath.Ext(e.Name()), ".orch") {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no .orch file in %s", folder)
	}
	return files, nil
}

// unpublished is what is wrong with a file that is to be published, if that is no .orch file at
// all.
func unpublished(err error) error {
	var parse *orch.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	if _, is := readFile(parse.Path); is == nil {
		return fmt.Errorf("%s is a torrent; orchestra import makes an .orch file of it", parse.Path)
	}
	if hint := otherThanOrch(parse.Path, err); hint != "" {
		return errors.New(hint)
	}
	return err
}
