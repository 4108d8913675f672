package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"orchestra/orch"
)

// importOptions are the flags of import.
type importOptions struct {
	output     output
	conductors []string
	peers      []string
}

func newImport(p *program) *command {
	o := importOptions{output: output{command: "import", extension: orchExt, what: ".orch file"}}
	c := &command{
		name: "import", arguments: "FILE.torrent|URL|MAGNET", most: 1,
		usage: "make an .orch file of a torrent",
		description: "Reads a torrent file, and writes FILE.orch beside it, or into the current folder if it comes from a URL\n" +
			"or a magnet link. Its ID is the torrent's info-hash, so that members and BitTorrent programs exchange\n" +
			"parts. join, get, show and verify take torrents and magnet links as they are.",
		options: append([]*option{{
			name: "conductor", short: "c", value: "HOST:PORT", list: &o.conductors,
			usage: "where members meet, before what the torrent names; may be repeated",
		}, {
			name: "peer", value: "HOST:PORT", list: &o.peers,
			usage: "who is asked for what a magnet link stands for; may be repeated",
		}}, o.output.options()...),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the torrent is missing")
		}
		at := meeting{peers: o.peers}
		for _, address := range o.conductors {
			read, err := orch.ReadConductor(address)
			if err != nil {
				return c.mistake("the conductor: %v", err)
			}
			at.conductors = append(at.conductors, read)
		}
		for _, address := range o.peers {
			if _, err := parseHostPort(address); err != nil {
				return c.mistake("--peer: %v", err)
			}
		}
		return runImport(ctx, p, &o, arguments[0], at)
	}
	return c
}

func runImport(
	ctx context.Context, p *program, o *importOptions, path string, at meeting,
) error {
	from, err := p.openAt(ctx, path, at)
	if err != nil {
		return err
	}
	f, err := withConductors(from.file, o.conductors)
	if err != nil {
		return withCode(exitInput, err)
	}
	if o.output.path == "" && strings.EqualFold(filepath.Ext(from.path), orchExt) {
		return o.output.mistake("%q is an .orch file already, and join takes it as it is", from.path)
	}
	beside := orchName(f)
	if from.path != "" {
		beside = strings.TrimSuffix(from.path, filepath.Ext(from.path)) + orchExt
	}
	if err := o.output.settle(beside, from.path); err != nil {
		return err
	}
	if o.output.path == "-" {
		_, err := f.WriteTo(p.stdout)
		return err
	}
	if err := o.output.write(f, func(path string) error { return orch.WriteFile(path, f) }); err != nil {
		return err
	}
	d, err := describe(f)
	if err != nil {
		return err
	}
	d.Path = o.output.path
	if len(d.Conductors)+len(d.Trackers) == 0 {
		p.terminal.note("note: it names no conductor and no tracker; members need --conductor HOST:PORT or --peer HOST:PORT")
	}
	return p.result(d, o.output.path)
}

// orchName is what the .orch file of f is called.
func orchName(f *orch.File) string { return f.Name + orchExt }

// withConductors puts conductors before those that f names.
func withConductors(f *orch.File, more []string) (*orch.File, error) {
	if len(more) == 0 {
		return f, nil
	}
	named, err := f.Conductors()
	if err != nil {
		return nil, err
	}
	all := more
	for _, address := range named {
		all = append(all[:len(all):len(all)], address)
	}
	changed := *f
	changed.Conductor, changed.Lines = all[0], nil
	for _, address := range all[1:] {
		changed.Lines = append(changed.Lines, orch.Line{Key: "conductor", Value: address})
	}
	for _, l := range f.Lines {
		if l.Key != "conductor" {
			changed.Lines = append(changed.Lines, l)
		}
	}
	if err := changed.Validate(); err != nil {
		return nil, fmt.Errorf("the conductors do not fit: %w", err)
	}
	return &changed, nil
}
