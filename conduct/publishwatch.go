package conduct

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"orchestra/orch"
)

// shelfEvery is the time between two looks at what is published. What is new or changed is read
// when it is the same in two looks, so that nothing is read while it is being written.
const shelfEvery = 2 * time.Second

// watched is what a shelf is kept current with: .orch files, and folders of them. One goroutine
// uses it at a time.
type watched struct {
	paths []string
	log   zerolog.Logger
	files map[string]*watchedFile // by path
	mute  map[string]bool         // folders that could not be read at the last look
}

// A watchedFile is an .orch file as it was seen.
type watchedFile struct {
	seen   fs.FileInfo // at the last look
	read   fs.FileInfo // when it was read last, whatever came of it; nil: never
	placed string      // the name under which it is published; "": it is not
}

// OpenShelf makes a shelf of the .orch files at the paths and in the folders there, not in folders
// below. A conductor that has it keeps it current while it runs. A file that is named has to be a
// good one; those in a folder that are not are only warned of.
func OpenShelf(log zerolog.Logger, paths ...string) (*Shelf, error) {
	s := new(Shelf)
	w := &watched{paths: paths, log: log, files: make(map[string]*watchedFile), mute: make(map[string]bool)}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("cannot publish %w", err)
		case info.IsDir():
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("cannot publish %s: it is neither a file nor a folder", path)
		default:
			if err := w.publish(s, path, info); err != nil {
				return nil, err
			}
		}
	}
	s.watched = w
	w.look(s, true)
	return s, nil
}

// watch keeps the shelf current until ctx ends.
func (s *Shelf) watch(ctx context.Context) {
	if s.watched == nil {
		return
	}
	tick := time.NewTicker(shelfEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.watched.look(s, false)
		}
	}
}

// look publishes what is new or changed since the last look, and takes away what is gone.
func (w *watched) look(s *Shelf, first bool) {
	there := make(map[string]bool)
	for _, path := range w.paths {
		for path, info := range w.list(path) {
			there[path] = true
			f := w.files[path]
			if f == nil {
				f = new(watchedFile)
				w.files[path] = f
			}
			settled := first || f.seen != nil && isSame(f.seen, info)
			f.seen = info
			if !settled || f.read != nil && isSame(f.read, info) {
				continue
			}
			if err := w.publish(s, path, info); err != nil {
				w.log.Warn().Err(err).Msg("not published")
			} else if !first {
				w.log.Info().Str("file", filepath.Base(path)).Msg("published")
			}
		}
	}
	for path, f := range w.files {
		if there[path] {
			continue
		}
		delete(w.files, path)
		if f.placed != "" {
			s.Remove(f.placed)
			w.log.Info().Str("file", f.placed).Msg("not published any more")
		}
	}
}

// list are the .orch files that a path stands for. A folder that cannot be read for a while keeps
// what it had.
func (w *watched) list(path string) map[string]fs.FileInfo {
	files := make(map[string]fs.FileInfo)
	info, err := os.Stat(path)
	var entries []fs.DirEntry
	if err == nil && info.IsDir() {
		entries, err = os.ReadDir(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		if !w.mute[path] {
			w.log.Warn().Err(err).Msg("cannot look what is to be published; what is there stays")
		}
		for known, f := range w.files {
			if known == path || filepath.Dir(known) == filepath.Clean(path) {
				files[known] = f.seen
			}
		}
	case info.Mode().IsRegular():
		files[path] = info
	}
	w.mute[path] = err != nil
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.EqualFold(filepath.Ext(e.Name()), orchExt) {
			continue // a link could lead anywhere, whoever made it
		}
		if info, err := e.Info(); err == nil {
			files[filepath.Join(path, e.Name())] = info
		}
	}
	return files
}

func isSame(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// publish reads a file and puts it on the shelf.
func (w *watched) publish(s *Shelf, path string, info fs.FileInfo) error {
	f := w.files[path]
	if f == nil {
		f = new(watchedFile)
		w.files[path] = f
	}
	f.seen, f.read = info, info
	name := filepath.Base(path)
	if ext := filepath.Ext(name); strings.EqualFold(ext, orchExt) {
		name = strings.TrimSuffix(name, ext) + orchExt
	}
	if f.placed == "" && s.find(name) != nil {
		return fmt.Errorf("%s is not published: there is another file of its name", path)
	}
	read, err := readWork(path, name)
	if err != nil {
		return err
	}
	if err := s.put(read); err != nil {
		return err
	}
	f.placed = name
	return nil
}

// readWork reads a regular file, not of any size.
func readWork(path, name string) (*work, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxPublishedSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(text) > maxPublishedSize {
		return nil, fmt.Errorf("%s is too large to be published: %d bytes are the most", path, maxPublishedSize)
	}
	f, err := orch.Parse(bytes.NewReader(text))
	if parse := (*orch.ParseError)(nil); errors.As(err, &parse) {
		parse.Path = path
		return nil, parse
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return newWork(name, text, info.ModTime(), f), nil
}
