package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"orchestra/compose"
	"orchestra/orch"
	"orchestra/proto/secure"
)

// composeOptions is what compose was told.
type composeOptions struct {
	path       string
	remote     *remote // what is composed instead of a file; nil: nothing
	conductors []string
	partSize   int64 // bytes, 0: automatic
	output     output
	hash       orch.Hash
	comment    string
	links      compose.Links
	noTimes    bool
	torrent    bool
	private    bool
	keyFile    string
}

const defaultConductor = "localhost:9999"

// blockSize is what other programs' requests count in: parts that are no multiple of it may be
// refused by them.
const blockSize = 16 << 10

// mostWarnings bounds the lines about what is in a folder.
const mostWarnings = 10

// options is the table of the flags that share has too.
func (o *composeOptions) options() []*option {
	return []*option{
		{name: "hash", value: "sha1|sha256", usage: "of the checksums; sha1 by default, which BitTorrent programs know too", set: into(&o.hash, parseHash)},
		{name: "comment", value: "TEXT", usage: "a line for those who read the .orch file", set: into(&o.comment, parseFreeText)},
		{name: "links", value: "skip|follow|keep", usage: "symbolic links in a folder: leave them out, read through them, or carry them", set: into(&o.links, parseLinks)},
		{name: "no-times", usage: "leave out when the files were modified last, which join gives to those it makes", set: into(&o.noTimes, parseSwitch)},
	}
}

// privateOptions are those of a private swarm; byDefault says where its key is.
func (o *composeOptions) privateOptions(byDefault string) []*option {
	return []*option{
		{
			name: "private", set: into(&o.private, parseSwitch),
			usage: "a private swarm: only who has its key learns of it, or gets anything",
		},
		{
			name: "key-file", value: "FILE", set: into(&o.keyFile, parseText),
			usage: "the key of --private, made if the file is not there; " + byDefault,
		},
	}
}

func (o *composeOptions) partSizeOption() *option {
	return &option{
		name: "part-size", short: "s", value: "SIZE|auto", set: into(&o.partSize, parsePartSize),
		usage: "bytes in a part: 16K, 1M, ... (auto: by the size of the file)",
	}
}

func newCompose(p *program) *command {
	o := composeOptions{output: output{command: "compose", extension: orchExt, what: ".orch file"}}
	conductor := &option{
		name: "conductor", short: "c", value: "HOST:PORT", list: &o.conductors,
		usage: "where members meet, " + defaultConductor + " by default; may be repeated",
	}
	partSize := o.partSizeOption()
	c := &command{
		name: "compose", arguments: "FILE|URL [CONDUCTOR [PART_SIZE]]", most: 3,
		usage: "describe a file or folder in FILE.orch, for others to join",
		description: "Reads FILE once, writes FILE.orch beside it and prints that file's path.\n" +
			"Hand the .orch file to everybody who is to get FILE, and keep a member running that has it.\n" +
			"FILE may be a folder: symbolic links and special files in it are left out, with a warning. --links follow\n" +
			"reads through links, so that what they lead to is carried in their place; --links keep carries those that\n" +
			"lead to something in the folder, and join makes them again.\n" +
			"A URL (http, https, s3) is read once and not stored; NAME.orch is written in the current folder, and members\n" +
			"get from that server what no member has.",
		options: slices.Concat([]*option{
			conductor, partSize,
		}, o.output.options(), o.options(), o.privateOptions(keyFileName+" beside the .orch file by default"), []*option{
			{name: "torrent", usage: "write FILE.torrent too, for BitTorrent programs to join in by way of the conductor", set: into(&o.torrent, parseSwitch)},
		}),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		switch {
		case len(arguments) == 0:
			return c.mistake("the file to compose is missing")
		case arguments[0] == "-":
			return c.mistake("standard input cannot be composed: it has no name, and members read the content again to share it; " +
				"save it to a file and compose that (a file called - is ./-)")
		case o.torrent && o.hash != orch.SHA1:
			return c.mistake("--torrent needs --hash sha1: BitTorrent programs know no other checksums")
		case o.keyFile != "" && !o.private:
			return c.mistake("--key-file is where the key of --private is; say --private too")
		case o.torrent && o.private:
			return c.mistake("--torrent is for other BitTorrent programs, " +
				"which cannot join a --private swarm; leave one out")
		case o.output.path == "-" && p.common.json:
			return c.mistake("--json and --output - both want stdout; leave one out")
		case len(arguments) > 1 && conductor.given:
			return c.mistake("the conductor is given twice, as %q and with --conductor; leave one out", arguments[1])
		case len(arguments) > 2 && partSize.given:
			return c.mistake("the part size is given twice, as %q and with --part-size; leave one out", arguments[2])
		}
		if err := (orch.Line{Key: "comment", Value: o.comment}).Validate(); err != nil {
			return c.mistake("--comment: %v", err)
		}
		if len(arguments) > 1 {
			o.conductors = arguments[1:2]
		}
		if len(o.conductors) == 0 {
			o.conductors = []string{defaultConductor}
		}
		for _, address := range o.conductors {
			if _, err := orch.ReadConductor(address); err != nil {
				return c.mistake("the conductor: %v", err)
			}
		}
		if len(arguments) > 1 && !strings.Contains(arguments[1], ":") && exists(arguments[1]) {
			return c.mistake("%q is there as a file or folder, and the conductor stands in its place; "+
				"compose takes one file or folder (a host of that name is %s:9999)",
				arguments[1], arguments[1])
		}
		if len(arguments) > 2 {
			if err := partSize.set(arguments[2]); err != nil {
				return c.mistake("the part size: %v", err)
			}
		}
		o.path = arguments[0]
		if isRemote(o.path) {
			var err error
			if o.remote, err = newRemote(o.path); err != nil {
				return c.mistake("%v", err)
			}
			o.path = o.remote.name
		}
		return runCompose(ctx, p, o)
	}
	return c
}

// runCompose composes the file and writes the .orch file.
func runCompose(ctx context.Context, p *program, o composeOptions) error {
	if err := o.settleOutput(); err != nil {
		return err
	}
	var key *secure.Key
	var isNew bool
	if o.private {
		var err error
		if key, isNew, err = o.openKey(p); err != nil {
			return err
		}
	}
	f, err := o.compose(ctx, p, "composing")
	switch {
	case ctx.Err() != nil:
		return stopped(ctx, "no .orch file was written")
	case err != nil:
		return err
	}
	o.advise(p.terminal)
	if key != nil {
		f.SetPrivate(key.ID())
		if isNew {
			if err := keepKey(o.keyFile, key); err != nil {
				return withCode(exitDisk, err)
			}
			p.terminal.note("the key of the private swarm is in %s; "+
				"hand it to those who may join, and to the conductor (--key-file)", o.keyFile)
		}
	}
	if o.torrent {
		if err := orch.WriteTorrent(o.torrentPath(), f); err != nil {
			return withCode(exitDisk, err)
		}
	}
	if o.output.path == "-" {
		_, err := f.WriteTo(p.stdout)
		return err
	}
	if err := o.output.write(f, func(path string) error { return orch.WriteFile(path, f) }); err != nil {
		return err
	}
	description, err := describe(f)
	if err != nil {
		return err
	}
	description.Path = o.output.path
	return p.result(description, o.output.path)
}

// settleOutput finds out where the .orch file goes.
func (o *composeOptions) settleOutput() error {
	if o.output.path == "" {
		if err := o.checkName(); err != nil {
			return err
		}
		o.output.path = o.beside(orchExt)
	}
	switch path := o.output.path; {
	case o.torrent && filepath.Clean(path) == o.torrentPath():
		return o.output.mistake("%q is where --torrent writes", path)
	case path != "-" && o.remote == nil && o.isInside(path):
		return o.output.mistake("%q lies in the folder to compose", path)
	}
	if o.remote != nil {
		return o.output.settle("", "")
	}
	return o.output.settle("", o.path)
}

// checkName says what is wrong with the name of the content, before files are called after it.
func (o *composeOptions) checkName() error {
	path := filepath.Base(o.path)
	if _, err := orch.ReadName(path); exists(o.path) && err != nil && path != "." && path != ".." {
		return withCode(exitInput, fmt.Errorf("%s: %w; rename the file", o.path, err))
	}
	return nil
}

// openKey reads the key of a private swarm, or makes one up, and says where it is to be.
func (o *composeOptions) openKey(p *program) (key *secure.Key, isNew bool, err error) {
	if o.keyFile == "" {
		o.keyFile = keyFileName
		if o.output.path != "-" {
			o.keyFile = filepath.Join(filepath.Dir(o.output.path), keyFileName)
		}
	}
	if o.isInside(o.keyFile) {
		return nil, false, &usageError{command: "compose", text: fmt.Sprintf(
			"%q lies in the folder to compose, whose content others get; choose another --key-file", o.keyFile)}
	}
	return p.keyAt(o.keyFile)
}

// compose reads the content, shows how that goes, and warns of what is in it.
func (o *composeOptions) compose(ctx context.Context, p *program, doing string) (*orch.File, error) {
	warnings, began := 0, time.Now()
	path := o.path
	var stream *compose.Stream
	var webseeds []string
	if o.remote != nil {
		var end func()
		var err error
		if stream, end, err = o.remote.open(ctx); err != nil {
			return nil, err
		}
		defer end()
		path, webseeds = o.remote.shown(), []string{o.remote.address}
	}
	f, err := compose.Compose(ctx, compose.Config{
		Path: path, Stream: stream, Webseeds: webseeds, Conductors: o.conductors, PartSize: o.partSize, Hash: o.hash, Comment: o.comment,
		Links: o.links, NoTimes: o.noTimes,
		Progress: slowProgress(p.terminal, doing),
		Warn: func(text string) {
			if warnings++; warnings <= mostWarnings {
				p.terminal.note("warning: %s", text)
			}
		},
	})
	p.terminal.wipe()
	if err == nil {
		p.remember(f, o.path, began)
	}
	if warnings > mostWarnings {
		p.terminal.note("warning: and %d more of this kind", warnings-mostWarnings)
	}
	return f, withCode(exitInput, err)
}

// parseLinks reads the value of --links.
func parseLinks(s string) (compose.Links, error) {
	switch s {
	case "skip":
		return compose.SkipLinks, nil
	case "follow":
		return compose.FollowLinks, nil
	case "keep":
		return compose.KeepLinks, nil
	}
	return 0, errors.New("expected skip, follow or keep")
}

// torrentPath is where the torrent file goes: beside the content. One that is there is replaced.
func (o *composeOptions) torrentPath() string { return o.beside(".torrent") }

// beside is the path next to the content that ends in its name and extension.
func (o *composeOptions) beside(extension string) string {
	path := filepath.Clean(o.path)
	if base := filepath.Base(path); base != "." && base != ".." {
		return path + extension
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return path + extension // composing will not find it either
	}
	return filepath.Join(path, "..", filepath.Base(whole)+extension)
}

// isInside reports whether path lies in the folder to compose, as far as that can be told.
func (o *composeOptions) isInside(path string) bool {
	if info, err := os.Stat(o.path); err != nil || !info.IsDir() {
		return false
	}
	folder, err := realPath(o.path)
	if err != nil {
		return false
	}
	parent, err := realPath(filepath.Dir(path))
	if err != nil {
		return false
	}
	relative, err := filepath.Rel(folder, parent)
	return err == nil && filepath.IsLocal(relative)
}

func realPath(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// advise says what may surprise those who use the .orch file.
func (o *composeOptions) advise(t *terminal) {
	if o.partSize%blockSize != 0 {
		t.note("note: a part size that is no multiple of %s works here, but other BitTorrent programs may refuse it", bytesText(blockSize))
	}
	if onlyLocal(o.conductors) {
		t.note("note: the conductor is %s, so only members on this machine will find it; others need --conductor HOST:PORT", o.conductors[0])
	}
}

// onlyLocal reports whether every conductor is an address of this machine that only this machine
// knows.
func onlyLocal(conductors []string) bool {
	for _, address := range conductors {
		address, err := orch.ReadConductor(address)
		if err != nil {
			return false
		}
		host, _, _ := net.SplitHostPort(address)
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}
