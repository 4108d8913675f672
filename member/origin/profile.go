package origin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A profile is what the files of the programs of AWS have under its name.
type profile map[string]string

// mostProfiles is how much such a file may hold.
const mostProfiles = 1 << 20

// readProfile reads a profile from the file of the keys and from that of the configuration. The
// former goes before. A program that the profile names is not run.
func readProfile(from setting, env func(string) string) (profile, error) {
	name := from.value
	home := cmp.Or(env("HOME"), env("USERPROFILE"))
	p, found := profile{}, false
	paths := []string{
		cmp.Or(env("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, ".aws", "credentials")),
		cmp.Or(env("AWS_CONFIG_FILE"), filepath.Join(home, ".aws", "config")),
	}
	for i, path := range paths {
		if rest, ok := strings.CutPrefix(path, "~/"); ok {
			path = filepath.Join(home, rest)
		}
		paths[i] = path
		text, err := readProfiles(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, fmt.Errorf("cannot read the profile %q: %w", name, err)
		}
		is := parseProfile(text, name, i == 1)
		found = found || is != nil
		for key, value := range is {
			p[key] = cmp.Or(p[key], value)
		}
	}
	if !found {
		return nil, fmt.Errorf("%s says %q, and neither %s nor %s has that profile",
			from.from, name, paths[0], paths[1])
	}
	return p, nil
}

// readProfiles reads a regular file, not of any size.
func readProfiles(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait
		return "", fmt.Errorf("%s is no regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostProfiles+1))
	if err == nil && len(text) > mostProfiles {
		err = fmt.Errorf("%s is larger than %d bytes", path, mostProfiles)
	}
	return string(text), err
}

// parseProfile reads the lines of a profile: [NAME], or [profile NAME] in a configuration, and
// KEY = VALUE. Indented lines belong to the value before, of which none is needed. It is nil if the
// profile is not there.
func parseProfile(text, name string, configuration bool) profile {
	var p profile
	within := false
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section, _, _ := strings.Cut(line[1:], "]")
			if within = sectionName(section, configuration) == name; within && p == nil {
				p = profile{}
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !within || !ok {
			continue
		}
		value = strings.TrimSpace(value)
		for _, comment := range []string{" #", " ;", "\t#", "\t;"} {
			value, _, _ = strings.Cut(value, comment)
		}
		p[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return p
}

// sectionName is the profile that a section is of; "": of none.
func sectionName(section string, configuration bool) string {
	section = strings.TrimSpace(section)
	if configuration && section != "default" {
		kind, rest, _ := strings.Cut(strings.ReplaceAll(section, "\t", " "), " ")
		if kind != "profile" {
			return ""
		}
		section = strings.TrimSpace(rest)
	}
	if n := len(section); n >= 2 && (section[0] == '"' || section[0] == '\'') && section[n-1] == section[0] {
		section = section[1 : n-1]
	}
	return section
}
