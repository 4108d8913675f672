package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"orchestra/member/store"
	"orchestra/orch"
)

// verifyFolder reads the files of a folder once, one after the other, and compares them with the
// composition. What else lies in the folder is named and counts for nothing.
func verifyFolder(ctx context.Context, p *program, f *orch.File, orchPath, path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return withCode(exitInput, err)
	}
	named := *f // the folder may have any name
	named.Name = filepath.Base(absolute)
	s, err := store.Open(store.Config{File: &named, Dir: filepath.Dir(absolute), ReadOnly: true})
	if err != nil {
		return withCode(exitInput, err)
	}
	defer s.Close()
	began := time.Now()
	bad, whole, err := readFolder(ctx, f, s, slowProgress(p.terminal, "verifying"))
	p.terminal.wipe()
	if err != nil {
		return err
	}
	flaws := s.Flaws()
	for _, flaw := range flaws {
		p.terminal.note("%s is missing or has another size", filepath.Join(path, filepath.FromSlash(flaw)))
	}
	for _, extra := range s.Extra() {
		p.terminal.note("note: %s is not of the composition", filepath.Join(path, filepath.FromSlash(extra)))
	}
	links := append([]string{}, s.BadLinks()...) // an empty list for --json
	for _, link := range links {
		p.terminal.note("%s is missing, or is not the symbolic link that it should be", filepath.Join(path, filepath.FromSlash(link)))
	}
	v := verdict{
		Path: path, ID: f.ID().String(), Parts: f.NumParts(), BadParts: bad, Size: s.FolderSize(), WantSize: f.Size,
		BadLinks: links, OK: len(bad)+len(flaws)+len(links) == 0 && isWhole(f, whole),
	}
	if v.OK {
		p.remember(f, path, began)
	}
	text := v.text()
	if len(bad)+len(flaws) == 0 && len(links) > 0 {
		text = fmt.Sprintf("%s: %s missing or wrong", path, counted(len(links), "symbolic link"))
	}
	if len(bad) == 0 && len(flaws) > 0 {
		text = fmt.Sprintf("%s: %s missing or of another size", path, counted(len(flaws), "file"))
	}
	if err := p.result(v, text); err != nil || v.OK {
		return err
	}
	return withCode(exitVerify, fmt.Errorf("%s is not what %s describes", path, orchPath))
}

// readFolder reads the content and gives the parts that are bad and the checksum of the whole,
// which says nothing if any part is bad.
func readFolder(ctx context.Context, f *orch.File, s *store.Store, progress func(done, total int64)) (bad []int, whole []byte, err error) {
	bad = []int{}
	all, one := f.Hash().New(), f.Hash().New()
	buf := make([]byte, 256<<10)
	for part := range f.NumParts() {
		one.Reset()
		at := int64(part) * f.PartSize
		for end := at + f.PartLen(part); at < end; {
			if ctx.Err() != nil {
				return nil, nil, stopped(ctx, "the content was not read to its end")
			}
			b := buf[:min(int64(len(buf)), end-at)]
			if err := s.ReadAt(b, at); err != nil {
				if !store.IsMissing(err) {
					return nil, nil, err
				}
				break
			}
			one.Write(b)
			all.Write(b)
			at += int64(len(b))
		}
		if !bytes.Equal(one.Sum(nil), f.PartSum(part)) {
			bad = append(bad, part)
		}
		progress(at, f.Size)
	}
	return bad, all.Sum(nil), nil
}
