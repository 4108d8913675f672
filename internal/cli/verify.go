package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"orchestra/compose"
	"orchestra/member/store"
	"orchestra/orch"
)

func newVerify(p *program) *command {
	c := &command{
		name: "verify", arguments: "FILE.orch|MAGNET [PATH]", most: 2,
		usage: "check content against an .orch file",
		description: "Reads the content (PATH, or what FILE.orch names, in the current folder) and compares every part and\n" +
			"the whole with FILE.orch, and the symbolic links of a folder. Prints what is bad; exits with 6 if anything\n" +
			"is. Times are not compared.",
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the .orch file is missing")
		}
		return runVerify(ctx, p, arguments)
	}
	return c
}

// A verdict is what verify found, in the form of --json (docs/scripting.md).
type verdict struct {
	Path     string `json:"path"` // of the content
	ID       string `json:"id"`
	OK       bool   `json:"ok"`
	Parts    int    `json:"parts"`
	BadParts []int  `json:"bad_parts"` // counted from 0
	Size     int64  `json:"size"`      // bytes found
	WantSize int64  `json:"want_size"` // bytes that the .orch file says
	// BadLinks are the paths of symbolic links of a folder that are missing or lead elsewhere.
	BadLinks []string `json:"bad_links"`
}

func runVerify(ctx context.Context, p *program, arguments []string) error {
	from, err := p.open(ctx, arguments[0])
	if err != nil {
		return err
	}
	f := from.file
	path := f.Name
	if len(arguments) > 1 {
		path = arguments[1]
	} else if beside := from.beside(); beside != "" {
		return withCode(exitInput, fmt.Errorf("%s is not in the current folder; did you mean verify %s %s?",
			f.Name, arguments[0], beside))
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() != f.IsFolder() {
		is, described := "file", "folder"
		if info.IsDir() {
			is, described = described, is
		}
		return withCode(exitInput, fmt.Errorf("%s is a %s, and %s describes a %s; give the path of the %s",
			path, is, arguments[0], described, described))
	}
	if f.IsFolder() {
		return verifyFolder(ctx, p, f, arguments[0], path)
	}
	began := time.Now()
	// Composing the content again is the whole check: the same checksums, or not.
	found, err := compose.Compose(ctx, compose.Config{
		Path: path, Conductors: []string{defaultConductor}, PartSize: f.PartSize, Hash: f.Hash(), NoTimes: true,
		Progress: slowProgress(p.terminal, "verifying"),
	})
	p.terminal.wipe()
	switch {
	case ctx.Err() != nil:
		return stopped(ctx, "the content was not read to its end")
	case err != nil:
		return withCode(exitInput, err)
	}
	v := verdict{
		Path: path, ID: f.ID().String(), Parts: f.NumParts(), BadParts: badParts(f, found), Size: found.Size, WantSize: f.Size,
		BadLinks: []string{},
	}
	v.OK = len(v.BadParts) == 0 && v.Size == v.WantSize && isWhole(f, found.Checksum)
	if v.OK {
		p.remember(f, path, began)
	}
	if err := p.result(v, v.text()); err != nil || v.OK {
		return err
	}
	return withCode(exitVerify, fmt.Errorf("%s is not what %s describes", path, arguments[0]))
}

// isWhole reports whether a checksum is that of the whole, as far as that is known.
func isWhole(f *orch.File, sum []byte) bool {
	return f.Checksum == nil || bytes.Equal(sum, f.Checksum)
}

// badParts lists the parts of the composition that are not in what was found, or not whole.
func badParts(want, found *orch.File) []int {
	bad := []int{}
	for i := range want.NumParts() {
		if i >= found.NumParts() || found.PartLen(i) != want.PartLen(i) || !bytes.Equal(found.PartSum(i), want.PartSum(i)) {
			bad = append(bad, i)
		}
	}
	return bad
}

// text is the verdict for people.
func (v *verdict) text() string {
	if v.OK && v.Parts < 2 {
		return v.Path + " is good"
	}
	if v.OK {
		return fmt.Sprintf("%s: all %s and the whole are good", v.Path, counted(v.Parts, "part"))
	}
	var says []string
	if v.Size != v.WantSize {
		says = append(says, fmt.Sprintf("%s bytes instead of %s", grouped(v.Size), grouped(v.WantSize)))
	}
	if n := len(v.BadParts); n > 0 {
		are := "are"
		if n == 1 {
			are = "is"
		}
		says = append(says, fmt.Sprintf("%s of %s %s bad: %s",
			grouped(int64(n)), counted(v.Parts, "part"), are, store.Ranges(v.BadParts)))
	}
	if len(says) == 0 {
		says = append(says, "all parts are good, but line 3 (the whole's checksum) is of something else")
	}
	return v.Path + ": " + strings.Join(says, "; ")
}
