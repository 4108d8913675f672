// Package compose describes a content as an orch.File. It reads the content
// once and never writes: putting the result in a file is the caller's.
package compose

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"orchestra/orch"
)

// ErrChanged is returned for a file that was written to, cut or replaced
// between its first byte and its last, and for a folder with such a file or
// with files that came or went.
var ErrChanged = errors.New("the file changed while it was read; compose it again when nothing writes to it")

// Config says what is composed. Path or Stream alone must be set.
type Config struct {
	// Path leads to the file or folder. The last component of the absolute path
	// becomes the name.
	Path string
	// Stream is read instead of a file, if it is not nil. Path is then how it
	// is called in errors.
	Stream *Stream
	// Webseeds are URLs of copies of the content, each of which becomes a line.
	Webseeds []string
	// Conductors are addresses, HOST or HOST:PORT. The first is line 1 as it
	// stands here; none means localhost.
	Conductors []string
	// PartSize is in bytes, from 1 to orch.MaxPartSize; 0 means
	// orch.DefaultPartSize.
	PartSize int64
	Hash     orch.Hash
	// Links says what becomes of symbolic links in a folder. Path itself is
	// followed in any case.
	Links Links
	// NoTimes leaves out when the files were modified last.
	NoTimes bool
	// Comment becomes a line of its own, if it is not empty.
	Comment string
	// Progress, if not nil, is told how many of the total bytes are done: first
	// that none are, before anything is read, then a few times a second, and
	// that all are when all went well. It is called by one goroutine, which
	// waits for it; the work does not.
	Progress func(done, total int64)
	// Warn, if not nil, is told what is left out of a folder (symbolic links
	// and other special files), which of its files some systems cannot store
	// side by side, and which are one file with several names. It is called
	// before anything is read.
	Warn func(text string)
}

// progressEvery is the time between two calls of Config.Progress.
const progressEvery = 200 * time.Millisecond

// Compose reads the file or folder and describes it. The error is ErrChanged,
// or ctx's, or says what else is wrong with the content or with cfg.
// All its goroutines have ended when it returns.
func Compose(ctx context.Context, cfg Config) (*orch.File, error) {
	c, err := openSource(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer c.close()
	f, err := outline(cfg, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	progress := cfg.Progress
	if progress == nil {
		progress = func(int64, int64) {}
	}
	progress(0, f.Size)
	if err := hashContent(ctx, c, f, progress); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	if err := c.unchanged(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	progress(f.Size, f.Size)
	return f, nil
}

// outline makes the File for the content with checksums of zeros, so that
// whatever could be wrong with it is said before the content is read.
func outline(cfg Config, c source) (*orch.File, error) {
	size := c.size()
	f := &orch.File{Size: size, PartSize: cfg.PartSize, Checksum: make([]byte, cfg.Hash.Size())}
	if f.PartSize == 0 {
		f.PartSize = orch.DefaultPartSize(size)
	}
	if err := orch.CheckParts(f.Size, f.PartSize, cfg.Hash); err != nil {
		return nil, err
	}
	f.PartSums = make([]byte, f.NumParts()*cfg.Hash.Size())
	var err error
	if cfg.Stream != nil {
		f.Name, err = orch.ReadName(cfg.Stream.Name)
	} else {
		f.Name, err = nameOf(cfg.Path)
	}
	if err != nil {
		return nil, err
	}
	f.Conductor = "localhost:9999"
	for i, typed := range cfg.Conductors {
		address, err := conductorLine(typed)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			f.Conductor = address
		} else {
			f.Lines = append(f.Lines, orch.Line{Key: "conductor", Value: address})
		}
	}
	for _, address := range cfg.Webseeds {
		f.Lines = append(f.Lines, orch.Line{Key: "webseed", Value: address})
	}
	if cfg.Comment != "" {
		f.Lines = append(f.Lines, orch.Line{Key: "comment", Value: cfg.Comment})
	}
	c.describe(f)
	if err := f.Validate(); err != nil {
		if pe, ok := errors.AsType[*orch.ParseError](err); ok {
			err = pe.Err // no line was written whose number would help
		}
		return nil, err
	}
	return f, nil
}

// nameOf gives the name that the last component of path makes. What it refuses
// cannot be stored under the same name on every system.
func nameOf(path string) (string, error) {
	whole, err := filepath.Abs(path) // "." has a name as well
	if err != nil {
		return "", err
	}
	base := filepath.Base(whole)
	if !utf8.ValidString(base) {
		return "", fmt.Errorf("the name %q is not valid UTF-8; rename the file", base)
	}
	if strings.Contains(base, `\`) {
		return "", fmt.Errorf(`the name %q has a backslash, which separates folders elsewhere; rename the file`, base)
	}
	name, err := orch.ReadName(base)
	if err != nil {
		return "", fmt.Errorf("%w; rename the file", err)
	}
	return name, nil
}

// conductorLine gives an address as it is written: as it was typed, but IPv6
// in brackets.
func conductorLine(typed string) (string, error) {
	address, err := orch.ReadConductor(typed)
	if err != nil {
		return "", err
	}
	if strings.Count(typed, ":") > 1 {
		return address, nil
	}
	return typed, nil
}
