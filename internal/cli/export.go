package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"orchestra/orch"
)

const torrentExt = ".torrent"

// exportOptions are the flags of export.
type exportOptions struct {
	output output
	magnet bool
}

func newExport(p *program) *command {
	o := exportOptions{output: output{command: "export", extension: torrentExt, what: "torrent file"}}
	c := &command{
		name: "export", arguments: "FILE.orch|URL|MAGNET", most: 1,
		usage: "make a torrent or a magnet link of an .orch file",
		description: "Writes FILE.torrent beside FILE.orch, for BitTorrent programs to join in. They announce to the conductor,\n" +
			"which is a tracker too, and exchange parts with members. With --magnet it prints a magnet link instead.",
		options: append([]*option{
			{name: "magnet", usage: "print a magnet link, and write nothing", set: into(&o.magnet, parseSwitch)},
		}, o.output.options()...),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		switch {
		case len(arguments) == 0:
			return c.mistake("the .orch file is missing")
		case o.magnet && (o.output.path != "" || o.output.force):
			return c.mistake("--magnet prints the link and writes no file; leave --output and --force out")
		}
		return runExport(ctx, p, &o, arguments[0])
	}
	return c
}

// An exportResult is what was made, in the form of --json (docs/scripting.md).
type exportResult struct {
	ID     string `json:"id"`
	Path   string `json:"path,omitempty"`
	Magnet string `json:"magnet,omitempty"`
}

func runExport(ctx context.Context, p *program, o *exportOptions, path string) error {
	from, err := p.open(ctx, path)
	if err != nil {
		return err
	}
	f := from.file
	if f.Private() != "" {
		return withCode(exitInput, fmt.Errorf("%s: its swarm is private, and other BitTorrent programs cannot join it", nameOf(from)))
	}
	if o.magnet {
		link, err := f.Magnet()
		if err != nil {
			return exportError(err)
		}
		return p.result(exportResult{ID: f.ID().String(), Magnet: link}, link)
	}
	b, err := f.Torrent()
	if err != nil {
		return exportError(err)
	}
	beside := f.Name + torrentExt
	if from.path != "" {
		beside = strings.TrimSuffix(from.path, filepath.Ext(from.path)) + torrentExt
	}
	if err := o.output.settle(beside, from.path); err != nil {
		return err
	}
	if o.output.path == "-" {
		_, err := p.stdout.Write(b)
		return err
	}
	if err := o.output.write(bytes.NewReader(b), func(path string) error { return orch.WriteTorrent(path, f) }); err != nil {
		return err
	}
	return p.result(exportResult{ID: f.ID().String(), Path: o.output.path}, o.output.path)
}

// exportError says what BitTorrent cannot take.
func exportError(err error) error {
	if errors.Is(err, orch.ErrNoTorrent) {
		err = errors.New("it has SHA-256 checksums, which BitTorrent programs do not know; compose it with --hash sha1")
	}
	return withCode(exitInput, err)
}
