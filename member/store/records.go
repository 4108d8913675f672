package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

// Records remember content that has its name, in a folder of the user's cache: which parts were
// right when they were read, so that they can be shared the next time without being read before.
// The content's own folder may be read-only, and is nobody's to leave things in. A record that is
// gone, or cannot be written, costs a check.
type Records struct {
	dir string

	mu    sync.Mutex
	saves int
}

// How many records are kept, and how many bytes they take. The ones that were used least recently
// go first.
const (
	mostRecords      = 4096
	mostRecordsBytes = 256 << 20
	pruneEvery       = 64 // saves
)

// OpenRecords returns the records in a folder, which need not be there.
func OpenRecords(dir string) *Records { return &Records{dir: dir} }

// recordKey is the name of the record of a composition whose content is this file or folder,
// wherever that is and whatever its name.
func recordKey(id orch.ID, content uint64) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(id[:], content))
	return hex.EncodeToString(sum[:20])
}

// load reads a record of n bytes; nil if there is none.
func (r *Records) load(key string, n int64) []byte {
	f, err := os.Open(filepath.Join(r.dir, key))
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() != n {
		return nil
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(f.Name(), now, now) // it was used
	return b
}

// save writes a record in place of the one that is there.
func (r *Records) save(key string, b []byte) error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(r.dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(r.dir, key))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saves++; r.saves%pruneEvery == 1 {
		r.prune(mostRecords, mostRecordsBytes)
	}
	return nil
}

// prune removes the records that were used least recently, down to so many and so many bytes.
func (r *Records) prune(most int, mostBytes int64) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return
	}
	var all []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, info)
		}
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var bytes int64
	for i, info := range all {
		if bytes += info.Size(); i >= most || bytes > mostBytes {
			_ = os.Remove(filepath.Join(r.dir, info.Name()))
		}
	}
}

// recordName is the name of the record of the content under its name; none if it is not there.
func (s *Store) recordName() (key string, ok bool) {
	content := s.watch.get(0).id
	if f := s.folder; f != nil {
		if f.whole == nil {
			return "", false
		}
		info, err := f.whole.Stat(".")
		if err != nil {
			return "", false
		}
		content = disk.ID(info)
	}
	return recordKey(s.id(), content), true
}

// remember takes parts for verified by the record of content that has its name.
func (s *Store) remember(cfg Config) {
	if !cfg.ReadOnly { // a journal that was to be removed when the content got its name
		_ = s.removeJournal(s.journalName())
	}
	files, parts := len(s.layout.entries), s.comp.NumParts()
	if s.records == nil || cfg.Check || recordLen(files, parts) > mostRecord {
		return
	}
	key, ok := s.recordName()
	if !ok {
		return
	}
	b := s.records.load(key, recordLen(files, parts))
	if b == nil {
		return
	}
	r, err := decodeRecord(b, s.id(), files, parts)
	if err != nil || !r.clean {
		return
	}
	now := slices.Clone(s.watch.stamps)
	for i := range now {
		if !r.settled(i) {
			now[i] = nothing
		}
	}
	believed, count := r.believed(&s.layout, s.comp.PartSize, s.comp.Size, now)
	if count > 0 {
		s.believe(believed, count)
		s.read = time.Unix(0, r.read)
		s.saved = r
	}
}

// saveRecord remembers how the content is, if it has its name. Called with moving held.
func (s *Store) saveRecord() {
	files, parts := len(s.layout.entries), s.comp.NumParts()
	if s.records == nil || s.partial && !s.named.Load() || recordLen(files, parts) > mostRecord {
		return
	}
	if s.folder != nil && s.folder.unfinished != nil {
		return // its journal says it
	}
	r := &record{
		clean: true, made: time.Now().UnixNano(), read: s.read.UnixNano(), files: s.lookAtAll(),
	}
	r.have = s.verified.bitfield(parts)
	if was := s.saved; allZero(r.have) ||
		was != nil && was.read == r.read && slices.Equal(was.have, r.have) && slices.Equal(was.files, r.files) {
		return
	}
	if key, ok := s.recordName(); ok && s.records.save(key, r.encode(s.id(), parts)) == nil {
		s.saved = r
	}
}

// Remember notes that content was read in full and is right, where f's name says in dir; id is the
// composition's. What was written to since reading began, or right before, is not believed.
func (r *Records) Remember(f *orch.File, id orch.ID, dir string, since time.Time) {
	s, err := Open(Config{File: f, Dir: dir, ReadOnly: true})
	if err != nil || s.partial {
		if err == nil {
			s.Close()
		}
		return
	}
	defer s.Close()
	s.id = func() orch.ID { return id }
	s.records, s.read = r, since
	for i, e := range s.layout.entries {
		if m := s.watch.get(i); m.size != e.Size || !before(m.time, since) {
			return
		}
	}
	for part := range uint32(f.NumParts()) {
		s.verified.set(part)
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	s.saveRecord()
}

// before reports whether a file was changed last before a time, as exact as times of files are.
func before(changed int64, at time.Time) bool {
	margin := 50 * time.Millisecond // systems do not look at the clock for each write
	if changed%int64(time.Second) == 0 {
		margin = coarse
	}
	return changed < at.Add(-margin).UnixNano()
}
