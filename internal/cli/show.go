package cli

import (
	"context"
	"fmt"
	"strings"
)

func newShow(p *program) *command {
	c := &command{
		name: "show", arguments: "FILE.orch|FILE.torrent|URL|MAGNET", most: 1,
		usage:       "show what is in an .orch file",
		description: "Prints what FILE.orch, a torrent, or what a magnet link stands for, says of its composition. --json prints it for programs.",
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the .orch file is missing")
		}
		return runShow(ctx, p, arguments[0])
	}
	return c
}

func runShow(ctx context.Context, p *program, path string) error {
	f, err := p.openComposition(ctx, path)
	if err != nil {
		return err
	}
	d, err := describe(f)
	if err != nil {
		return err
	}
	d.Path = path
	d.Files, d.Folders, d.Links = filesOf(f), f.Folders(), linksOf(f)
	if p.common.json {
		return writeJSON(p.stdout, d)
	}
	rows := [][2]string{
		{"name", d.Name},
		{"size", fmt.Sprintf("%s (%s bytes)", bytesText(d.Size), grouped(d.Size))},
		{"parts", d.partsText()},
		{d.Hash, d.checksumText()},
		{"id", d.ID},
		{"swarm", swarmText(f)},
	}
	for _, address := range d.Conductors {
		rows = append(rows, [2]string{"conductor", address})
	}
	for _, l := range f.Lines {
		switch l.Key {
		case "conductor", "file", "exec", "folder", "link", "time", "!pad", "!private":
		case "info":
			rows = append(rows, [2]string{l.Key, strings.Join(f.InfoKeys(), ", ")})
		default:
			rows = append(rows, [2]string{l.Key, l.Value})
		}
	}
	if d.Modified != "" {
		rows = append(rows, [2]string{"modified", d.Modified})
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(p.stdout, "%-10s %s\n", harmless(row[0]), harmless(row[1])); err != nil {
			return err
		}
	}
	return d.showFiles(p.stdout)
}
