package origin

import (
	"net/url"
	"sort"
	"strings"

	"orchestra/orch"
)

// stretch is a file of the content, and its URL.
type stretch struct {
	start, length int64  // bytes, in the content
	path          string // in the folder; "": there is none
	url           *url.URL
	// of the file, as the last answer told it; "": none did. Under the source's mu
	state string
}

// layoutOf tells which files the content is made of at an origin. A URL that ends with "/" has the
// name appended; for a folder, the name and the path of each file.
func layoutOf(f *orch.File, u *url.URL) []stretch {
	if !f.IsFolder() {
		if strings.HasSuffix(u.Path, "/") || u.Path == "" {
			u = below(u, f.Name)
		}
		return []stretch{{length: f.Size, url: u}}
	}
	folder := below(u, f.Name)
	var layout []stretch
	for _, e := range f.Entries() {
		if e.Size > 0 {
			layout = append(layout, stretch{
				start: e.Offset, length: e.Size, path: e.Path, url: below(folder, e.Path),
			})
		}
	}
	return layout
}

// below is the URL of a path, whose components are separated by "/", below that of a folder.
func below(u *url.URL, path string) *url.URL {
	components := strings.Split(path, "/")
	for i, c := range components {
		components[i] = url.PathEscape(c)
	}
	escaped := strings.TrimSuffix(u.EscapedPath(), "/") + "/" + strings.Join(components, "/")
	v := *u
	v.Path = strings.TrimSuffix(u.Path, "/") + "/" + path
	v.RawPath = escaped
	return &v
}

// find returns the file that has an offset of the content; nil: none has, up to an offset.
func (s *Source) find(at int64) (st *stretch, upto int64) {
	i := sort.Search(len(s.layout), func(i int) bool {
		return s.layout[i].start+s.layout[i].length > at
	})
	switch {
	case i == len(s.layout):
		return nil, s.cfg.File.Size
	case s.layout[i].start > at:
		return nil, s.layout[i].start
	}
	return &s.layout[i], 0
}
