package conduct

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"orchestra/orch"
)

// The bounds of what a conductor publishes, which it keeps in memory.
const (
	maxPublished     = 10_000    // .orch files
	maxPublishedSize = 64 << 20  // bytes of one of them
	maxPublishedAll  = 256 << 20 // of all
	orchExt          = ".orch"
	maxPublishedName = 250 + 1<<3 // bytes of a file's name: any content's name, and the extension
)

// A Shelf holds the .orch files that a conductor publishes, under their names. The zero value is an
// empty one. Its methods may be called from any goroutine.
type Shelf struct {
	mu      sync.Mutex
	works   map[string]*work
	size    int64
	changed time.Time // the last time that something came or went
	watched *watched  // nil: nothing to watch

	keys map[string]bool // IDs of keys that somebody can prove to have; nil: that is not known yet
}

// A work is one .orch file on the shelf. It never changes; another one takes its place.
type work struct {
	file   string // its name
	text   []byte
	tag    string // of this text alone, in the form of an ETag
	at     time.Time
	id     orch.ID
	name   string // of the content
	size   int64
	parts  int
	folder bool
	key    string // that who gets it has to have, by its ID; "": nobody needs one
}

// newWork describes the text of an .orch file.
func newWork(file string, text []byte, at time.Time, f *orch.File) *work {
	sum := sha256.Sum256(text)
	return &work{
		file: file, text: text, tag: `"` + hex.EncodeToString(sum[:16]) + `"`, at: at,
		id: f.ID(), name: f.Name, size: f.Size, parts: f.NumParts(), folder: f.IsFolder(), key: f.Private(),
	}
}

// Put publishes a composition at /FILE, in the place of what was there. The file's name ends in
// .orch.
func (s *Shelf) Put(file string, f *orch.File) error {
	var text bytes.Buffer
	if _, err := f.WriteTo(&text); err != nil {
		return err
	}
	return s.put(newWork(file, text.Bytes(), time.Now(), f))
}

func (s *Shelf) put(w *work) error {
	if err := checkPublishedName(w.file); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isShut(w) {
		return fmt.Errorf("%s: %w", w.file, errShut)
	}
	size, number := s.size+int64(len(w.text)), len(s.works)+1
	if old := s.works[w.file]; old != nil {
		size, number = size-int64(len(old.text)), number-1
	}
	switch {
	case len(w.text) > maxPublishedSize:
		return fmt.Errorf("%s is too large to be published: %d bytes are the most", w.file, maxPublishedSize)
	case size > maxPublishedAll:
		return fmt.Errorf("%s is not published: all together may have %d bytes", w.file, maxPublishedAll)
	case number > maxPublished:
		return fmt.Errorf("%s is not published: %d .orch files are the most", w.file, maxPublished)
	}
	if s.works == nil {
		s.works = make(map[string]*work)
	}
	s.works[w.file], s.size, s.changed = w, size, time.Now()
	return nil
}

// Remove publishes what is at /FILE no longer.
func (s *Shelf) Remove(file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.works[file]; w != nil {
		delete(s.works, file)
		s.size, s.changed = s.size-int64(len(w.text)), time.Now()
	}
}

// opens says which keys the conductor has, and returns the files that nobody can get without
// another.
func (s *Shelf) opens(keys map[string]bool) (shut []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
	for _, w := range s.works {
		if s.isShut(w) {
			shut = append(shut, w.file)
		}
	}
	slices.Sort(shut)
	return shut
}

// isShut reports whether nobody can get a work here. Called with mu held.
func (s *Shelf) isShut(w *work) bool { return w.key != "" && s.keys != nil && !s.keys[w.key] }

var errShut = errors.New("its swarm is private, and this conductor does not have the key; " +
	"--key-file takes it")

// Has reports whether a composition is published for everybody.
func (s *Shelf) Has(id orch.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.works {
		if w.id == id && w.key == "" {
			return true
		}
	}
	return false
}

func (s *Shelf) find(file string) *work {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.works[file]
}

// files returns the name of the file of each composition that is published for everybody, by its ID
// as text; the first one of several.
func (s *Shelf) files() map[string]string {
	files := make(map[string]string)
	for _, w := range s.all("") {
		if id := w.id.String(); files[id] == "" {
			files[id] = w.file
		}
	}
	return files
}

// all returns what is on the shelf for the holders of a key, or for everybody, by name.
func (s *Shelf) all(key string) []*work {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*work
	for _, w := range s.works {
		if w.key == key {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *work) int { return strings.Compare(a.file, b.file) })
	return all
}

// checkPublishedName says why a name cannot stand in a URL of this conductor, if it cannot.
func checkPublishedName(file string) error {
	base := strings.TrimSuffix(file, orchExt)
	switch {
	case base == file || base == "":
		return fmt.Errorf("%q does not end in %s", file, orchExt)
	case len(file) > maxPublishedName || !utf8.ValidString(file):
		return fmt.Errorf("%q is no name to publish a file under", file)
	case strings.ContainsAny(file, `/\`) || strings.ContainsFunc(file, isControl):
		return errors.New("a published file's name has neither slashes nor control characters")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
