package orch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"orchestra/proto/bencode"
)

// infoKeys are the keys of the info dictionary that the other lines give, so
// that an "info" line may not have them. Of "files" it may have what the other
// lines do not give of each.
var infoKeys = []string{"length", "name", "piece length", "pieces"}

// ownFileKeys are the same for what the info dictionary has of each file.
var ownFileKeys = []string{"length", "path"}

// infoValue is what an "info" line says.
type infoValue struct {
	keys  map[string]any   // of the info dictionary, "files" apart
	files []map[string]any // for each "file" and "!pad" line in order; nil: nothing
}

// parseInfoLine reads the value of an "info" line: a bencoded dictionary in
// base64, whose keys are counted in the ID beside those of infoKeys.
func parseInfoLine(value string) (infoValue, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return infoValue{}, errors.New("expected base64 after `info: `")
	}
	v, err := bencode.Decode(b)
	if err != nil {
		return infoValue{}, fmt.Errorf("expected a bencoded dictionary in base64: %w", err)
	}
	info, ok := v.(map[string]any)
	if !ok {
		return infoValue{}, errors.New("expected a bencoded dictionary in base64")
	}
	if err := lacks(info, infoKeys); err != nil {
		return infoValue{}, err
	}
	l := infoValue{keys: info}
	if files, ok := info["files"]; ok {
		delete(info, "files")
		if l.files, err = parseInfoFiles(files); err != nil {
			return infoValue{}, err
		}
	}
	return l, nil
}

// parseInfoFiles reads what an "info" line has of the files.
func parseInfoFiles(v any) ([]map[string]any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New(`expected a list of dictionaries under "files" in the info line`)
	}
	files := make([]map[string]any, 0, len(list))
	for _, v := range list {
		keys, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New(`expected a list of dictionaries under "files" in the info line`)
		}
		if err := lacks(keys, ownFileKeys); err != nil {
			return nil, err
		}
		files = append(files, keys)
	}
	return files, nil
}

// lacks refuses a dictionary of an "info" line that has one of the keys.
func lacks(dict map[string]any, keys []string) error {
	for _, k := range keys {
		if _, ok := dict[k]; ok {
			return fmt.Errorf("the key %q is given by the other lines; take it out of the info line", k)
		}
	}
	return nil
}

// infoLineOf is the line for keys of the info dictionary and of its files. It is
// not ok if there are none.
func infoLineOf(keys map[string]any, files []map[string]any) (Line, bool) {
	some := false
	list := make([]any, 0, len(files))
	for _, f := range files {
		some = some || len(f) > 0
		list = append(list, f)
	}
	if some {
		keys["files"] = list
	}
	if len(keys) == 0 {
		return Line{}, false
	}
	b, err := bencode.Encode(keys)
	if err != nil {
		panic(err) // it was decoded, so it can be encoded
	}
	return Line{keyInfo, base64.StdEncoding.EncodeToString(b)}, true
}

// infoLine gives what the "info" line says.
func (f *File) infoLine() infoValue {
	for _, l := range f.Lines {
		if l.Key == keyInfo {
			info, _ := parseInfoLine(l.Value)
			return info
		}
	}
	return infoValue{}
}

// fileKeys gives the further keys of each "file" and "!pad" line in order; none
// if no file has any.
func (f *File) fileKeys() []map[string]any { return f.infoLine().files }

// TrackersOnly reports whether members may be found by way of its trackers and
// conductors alone (BEP 27, "private").
func (f *File) TrackersOnly() bool { return f.infoLine().keys["private"] == int64(1) }

// InfoKeys gives the further keys of the info dictionary, those of "files" apart.
func (f *File) InfoKeys() []string { return slices.Sorted(maps.Keys(f.infoLine().keys)) }
