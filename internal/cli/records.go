package cli

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"orchestra/member/store"
	"orchestra/orch"
)

// records remember content that was read in full, in the cache of this user; nil: there is none.
func (p *program) records() *store.Records {
	// systemd's, for one service: a list of which the first one is meant for this
	dir, _, _ := strings.Cut(os.Getenv("CACHE_DIRECTORY"), string(filepath.ListSeparator))
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(cache, "orchestra")
	}
	return store.OpenRecords(filepath.Join(dir, "checked"))
}

// remember notes that the content at path was read in full since began, and is what f describes.
func (p *program) remember(f *orch.File, path string, began time.Time) {
	records := p.records()
	absolute, err := filepath.Abs(path)
	if records == nil || err != nil {
		return
	}
	named := *f // the content may have any name
	named.Name = filepath.Base(absolute)
	records.Remember(&named, f.ID(), filepath.Dir(absolute), began)
}
