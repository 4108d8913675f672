package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"orchestra/member/store"
	"orchestra/orch"
)

const orchExt = ".orch"

// headLines are those at the top of an .orch file by which it is told from other files: the third
// one is a checksum.
const headLines = 3

// openComposition reads the .orch file that a command was given: a path, a URL, or - for standard
// input.
func (p *program) openComposition(ctx context.Context, path string) (*orch.File, error) {
	from, err := p.open(ctx, path)
	return from.file, err
}

// openFile reads an .orch file. A file that is something else is named as that, and nothing of what
// is in it is shown.
func openFile(path string) (*orch.File, error) {
	f, err := readFile(path)
	if err == nil {
		return f, nil
	}
	if hint := otherThanOrch(path, err); hint != "" {
		err = errors.New(hint)
	}
	return nil, withCode(exitInput, err)
}

// readFile reads an .orch file or a torrent.
func readFile(path string) (*orch.File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := readDescription(r)
	var parse *orch.ParseError
	switch {
	case errors.As(err, &parse):
		parse.Path = path
	case err != nil:
		err = fmt.Errorf("%s: %w", path, err)
	}
	return f, err
}

// readDescription reads an .orch file or a torrent, whichever it is.
func readDescription(r io.Reader) (*orch.File, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(headBytes); orch.IsTorrent(head) {
		return orch.ParseTorrent(b)
	}
	return orch.Parse(b)
}

// headBytes is how many bytes tell a torrent from an .orch file.
const headBytes = 32

// otherThanOrch says what path is if it is no .orch file; empty if err says it better.
func otherThanOrch(path string, err error) string {
	var parse *orch.ParseError
	ext := filepath.Ext(path)
	info, statErr := os.Stat(path)
	text := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if text = didYouMeanOrch(path); text != "" {
			text = fmt.Sprintf("%s does not exist%s", path, text)
		}
		return text
	case statErr == nil && info.IsDir():
		text = path + " is a folder and no .orch file"
	case !errors.As(err, &parse) || strings.EqualFold(ext, orchExt) || parse.Line > headLines:
		return ""
	default:
		text = path + " is neither an .orch file nor a torrent"
	}
	return text + didYouMeanOrch(path)
}

// didYouMeanOrch proposes the .orch file of the content at path, if it is there: beside it, or
// instead of its torrent file.
func didYouMeanOrch(path string) string {
	clean := filepath.Clean(path)
	for _, name := range []string{clean, strings.TrimSuffix(clean, filepath.Ext(clean))} {
		name += orchExt
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && name != clean {
			return fmt.Sprintf("; did you mean %s?", name)
		}
	}
	return ""
}

// besideOrch returns where the content lies if it is beside the .orch file at path, and neither it
// nor what came of it is in the current folder; else the empty string.
func besideOrch(path string, f *orch.File) string {
	for _, name := range []string{f.Name, f.Name + store.Suffix} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return ""
		}
	}
	beside := filepath.Join(filepath.Dir(path), f.Name)
	info, err := os.Stat(beside)
	if err != nil || info.IsDir() != f.IsFolder() || !info.IsDir() && info.Size() != f.Size {
		return ""
	}
	return beside
}
