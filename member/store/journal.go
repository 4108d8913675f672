package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// The journal of unfinished content is a record (record.go) that stands beside it:
// NAME.part.journal beside NAME.part, be that a file or a folder. What comes in is made durable
// before the journal says so, in the background, so that after a crash or a power cut all is right
// that the journal names. When the join ends it says besides how the files were left. It may be
// removed at any time: without it the content is checked in full.
//
// The file has room for two records, which are written in turn. So one is whole while the other
// one is written, and a full disk is no reason not to.

// JournalSuffix is added to the name of unfinished content.
const JournalSuffix = ".journal"

// How much may have come in that the journal does not say: what took so long, or is so much. On a
// slow disk three quarters of the time are without syncing, unless much comes.
const (
	journalEvery = 5 * time.Second
	journalBytes = 256 << 20
	journalRest  = 3
)

// journal is that of one Store.
type journal struct {
	name  string
	some  chan struct{} // holds one: something came in
	hurry chan struct{} // holds one: it is to be written now

	// The store's mu guards these: what is not in the journal yet.
	files map[int]bool // that have something of parts that verified
	bytes int64        // of these parts

	mu    sync.Mutex // held by who writes it; taken after moving, and before the store's mu
	rec   record     // as it was written last
	there bool       // the file is there and its name is durable
	ended bool       // it is written no more
}

// mostName is how long a name may be. Of content with a longer one there is no journal.
const mostName = 255

func (s *Store) journalName() string { return s.comp.Name + Suffix + JournalSuffix }

// beginJournal lets unfinished content have a journal, unless that would be too long.
func (s *Store) beginJournal() {
	files, parts := len(s.layout.entries), s.comp.NumParts()
	if recordLen(files, parts) > mostRecord || len(s.journalName()) > mostName {
		return
	}
	s.journal = &journal{
		name: s.journalName(),
		some: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		files: map[int]bool{},
		rec:   record{files: slices.Repeat([]stamp{nothing}, files), have: make([]byte, (parts+7)/8)},
	}
}

// verifiedOne notes that the journal does not name a part yet that is right on disk. Called with
// the store's mu held.
func (j *journal) verifiedOne(s *Store, part uint32) {
	if j == nil {
		return
	}
	length := s.comp.PartLen(int(part))
	s.layout.each(s.offset(part), length, func(file int, _, _ int64) bool {
		j.files[file] = true
		return true
	})
	signal(j.some)
	if j.bytes += length; j.bytes >= journalBytes {
		signal(j.hurry)
	}
}

// touch has the stamp of a file written anew that this Store changed beside its content. Called
// without the store's mu.
func (j *journal) touch(s *Store, file int) {
	if j == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j.files[file] = true
	signal(j.some)
}

// lostOne has the journal written at once, since it may name a part that is not right any more.
func (j *journal) lostOne() {
	if j != nil {
		signal(j.some)
		signal(j.hurry)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// KeepJournal writes the journal of unfinished content while it comes in, until ctx ends. What the
// disk does not do is told, and tried again.
func (s *Store) KeepJournal(ctx context.Context, tell func(error)) {
	j := s.journal
	if j == nil {
		return
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	rest, said := journalEvery, ""
	for {
		select {
		case <-j.some:
		case <-ctx.Done():
			return
		}
		timer.Reset(rest)
		select {
		case <-timer.C:
		case <-j.hurry:
		case <-ctx.Done():
			return
		}
		begun := time.Now()
		if err := s.keepJournal(); err == nil {
			said = ""
		} else {
			if err.Error() != said {
				said = err.Error()
				tell(err)
			}
			signal(j.some)
		}
		rest = max(journalEvery, journalRest*time.Since(begun))
	}
}

// keepJournal makes durable what came in, and then says so in the journal.
func (s *Store) keepJournal() error {
	j := s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return nil
	}
	have, files := s.takeNew()
	stamps := map[int]stamp{}
	g := s.glance()
	for _, i := range files {
		stamps[i] = g.stampNow(i) // before the sync, so that it is durable
	}
	g.end()
	if err := s.syncIncoming(files); err != nil {
		s.giveBack(files)
		return err
	}
	for i, m := range stamps {
		j.rec.files[i] = m
	}
	j.rec.have = have
	if err := s.writeRecord(false, false); err != nil {
		return s.cannotWrite(err)
	}
	return nil
}

// takeNew returns which parts are verified, and the files of those that the journal does not name.
func (s *Store) takeNew() (have []byte, files []int) {
	j := s.journal
	s.mu.Lock()
	defer s.mu.Unlock()
	files = slices.Sorted(maps.Keys(j.files))
	clear(j.files)
	j.bytes = 0
	return s.verified.bitfield(s.comp.NumParts()), files
}

// giveBack notes files again that were taken.
func (s *Store) giveBack(files []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range files {
		s.journal.files[i] = true
	}
}

// stampNow is the stamp of a file of which parts were verified; nothing if it is another one by
// now, which a look will find too.
func (g *glance) stampNow(file int) stamp {
	now, _ := g.see(file)
	if now.id != g.s.watch.get(file).id {
		return nothing
	}
	return now
}

// writeRecord writes what the journal is to say. Called with its mu held.
func (s *Store) writeRecord(clean, all bool) error {
	j := s.journal
	r := &j.rec
	r.seq++
	r.clean, r.all = clean, all
	r.made, r.read = time.Now().UnixNano(), s.read.UnixNano()
	for i := range r.have { // what was lost meanwhile is not named
		r.have[i] &= s.verified.eight(i) &^ s.unkept.eight(i)
	}
	b := r.encode(s.id(), s.comp.NumParts())
	f, made, err := makeExact(s.root, j.name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, int64(r.seq%2)*int64(len(b)))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if made || !j.there {
		err = s.syncNames(s.root, nil)
	}
	j.there = err == nil
	return err
}

// cannotWrite says for the user that the journal cannot be written. One that may name too much is
// removed. Called with its mu held.
func (s *Store) cannotWrite(err error) error {
	j := s.journal
	_ = s.removeJournal(j.name)
	j.there = false
	return fmt.Errorf("cannot write %s: %w; should this join be killed, all is checked when it goes on",
		s.at(j.name), bare(err))
}

// closeJournal says in the journal how the content was left. Nobody writes to the content any more,
// or what was written has its name. Called with moving held.
func (s *Store) closeJournal() error {
	j := s.journal
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return nil
	}
	have, files := s.takeNew()
	if !j.there && (s.zeros.are(have) || allZero(have)) {
		return nil // nothing came
	}
	if err := s.syncIncoming(files); err != nil {
		s.giveBack(files)
		return err
	}
	j.rec.files = s.lookAtAll()
	j.rec.have = have
	if err := s.writeRecord(true, s.looked.Load()); err != nil {
		_ = s.cannotWrite(err)
	}
	return nil
}

// endJournal removes the journal of content that got its name. What of a folder was not chosen may
// be there still, unfinished: then it says how all of it was left. Called with moving held.
func (s *Store) endJournal() {
	j := s.journal
	if j == nil {
		return
	}
	if s.folder != nil && s.folder.unfinished != nil {
		_ = s.closeJournal() // what has its name is durable
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
	_ = s.removeJournal(j.name) // one that stays is removed by who opens the content next
}
