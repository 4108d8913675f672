package conduct

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
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
}

// newWork describes the text of an .orch file.
func newWork(file string, text []byte, at time.Time, f *orch.File) *work {
	sum := sha256.Sum256(text)
	return &work{
		file: file, text: text, tag: `"` + hex.EncodeToString(sum[:16]) + `"`, at: at,
		id: f.ID(), name: f.Name, size: f.Size, parts: f.NumParts(), folder: f.IsFolder(),
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

// Has reports whether a composition is published.
func (s *Shelf) Has(id orch.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.works {
		if w.id == id {
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

// files returns the name of the file of each composition, by its ID as text; the first one of
// several.
func (s *Shelf) files() map[string]string {
	files := make(map[string]string)
	for _, w := range s.all() {
		if id := w.id.String(); files[id] == "" {
			files[id] = w.file
		}
	}
	return files
}

// all returns what is on the shelf, by name.
func (s *Shelf) all() []*work {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.works), func(a, b *work) int {
		return strings.Compare(a.file, b.file)
	})
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
