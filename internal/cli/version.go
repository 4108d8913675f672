package cli

import "runtime/debug"

// release is the version that a release build is given: go build -ldflags '-X
// orchestra/internal/cli.release=v1.2.3'. Nothing else sets it.
var release string

// version is the version of this binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return versionOf(release, info)
}

// versionOf is the version that a release was given; or that of the module, which go install takes
// from the tag, and any other build in a repository makes of the commit; or the commit alone, where
// the Go tool wrote no more down.
func versionOf(release string, info *debug.BuildInfo) string {
	if release != "" {
		return release
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == "" {
		return "(unknown version)"
	}
	return "devel-" + revision + dirty
}
