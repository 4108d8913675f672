package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// recall takes parts for verified that the journal names, if it is to be believed by the files as
// they are now. What it says otherwise must not be said any longer before anything is written.
func (s *Store) recall(cfg Config, now []stamp) error {
	j := s.journal
	if j == nil || s.fresh || cfg.Check {
		return s.dropJournal()
	}
	r := s.readJournal()
	if r == nil {
		return s.dropJournal()
	}
	believed, count := r.believed(&s.layout, s.comp.PartSize, s.comp.Size, now)
	if count == 0 {
		return s.dropJournal()
	}
	s.believe(believed, count)
	s.read = time.Unix(0, r.read)
	s.exhaustive = r.clean && r.all
	for i := range now {
		s.exhaustive = s.exhaustive && now[i] == r.files[i]
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.there = true
	j.rec = *r
	for i, e := range s.layout.entries {
		if !r.holds(i, now[i], e.Size) {
			now[i] = nothing
		}
		j.rec.files[i] = now[i]
	}
	if err := s.writeRecord(false, false); err != nil {
		return s.dropJournal()
	}
	return nil
}

// believe takes parts for verified that a record names.
func (s *Store) believe(bits []byte, count int) {
	s.believed, s.believedCount = bits, count
	for part := range uint32(s.comp.NumParts()) {
		if s.believes(part) {
			s.verified.set(part)
		}
	}
}

// believes reports whether a record was believed about a part when the content was opened.
func (s *Store) believes(part uint32) bool {
	return s.believed != nil && s.believed[part>>3]&(0x80>>(part&7)) != 0
}

// readJournal returns the later one of the records in the journal; nil if there is none of this
// composition that is whole.
func (s *Store) readJournal() *record {
	f, err := openExact(s.root, s.journal.name, os.O_RDONLY)
	if err != nil {
		return nil
	}
	defer f.Close()
	id, files, parts := s.id(), len(s.layout.entries), s.comp.NumParts()
	b := make([]byte, recordLen(files, parts))
	var latest *record
	for slot := range int64(2) {
		if _, err := f.ReadAt(b, slot*int64(len(b))); err != nil {
			continue
		}
		r, err := decodeRecord(b, id, files, parts)
		if err == nil && (latest == nil || r.seq > latest.seq) {
			latest = r
		}
	}
	return latest
}

// dropJournal removes the journal that stands beside the content, if one does. A file that is none
// is somebody's and stays; then no journal is kept.
func (s *Store) dropJournal() error {
	name := s.journalName()
	if len(name) > mostName {
		return nil
	}
	err := s.removeJournal(name)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, errNoRecord), errors.Is(err, errIsLink), errors.Is(err, errNotRegular):
		s.journal = nil
		return nil
	}
	return diskError("remove", s.at(name), err)
}

// removeJournal removes a file if it is a journal, or one whose beginning never reached the disk.
func (s *Store) removeJournal(name string) error {
	f, err := openExact(s.root, name, os.O_RDONLY)
	if err != nil {
		return err
	}
	head := make([]byte, len(recordMagic))
	n, err := f.ReadAt(head, 0)
	f.Close()
	switch {
	case err != nil && err != io.EOF:
		return err
	case !isRecord(head) && !bytes.Equal(head, make([]byte, len(head))) || n < len(head) && !allZero(head):
		return errNoRecord
	}
	if err := s.root.Remove(name); err != nil {
		return err
	}
	return s.syncNames(s.root, nil)
}
