package orch

import (
	"encoding/base64"
	"errors"
	"fmt"

	"orchestra/proto/bencode"
)

// infoKeys are the keys of the info dictionary that the other lines give, so
// that an "info" line may not have them.
var infoKeys = []string{"files", "length", "name", "piece length", "pieces"}

// parseInfoLine reads the value of an "info" line: a bencoded dictionary in
// base64, whose keys are counted in the ID beside those of infoKeys.
func parseInfoLine(value string) (map[string]any, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, errors.New("expected base64 after `info: `")
	}
	v, err := bencode.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("expected a bencoded dictionary in base64: %w", err)
	}
	info, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("expected a bencoded dictionary in base64")
	}
	for _, k := range infoKeys {
		if _, ok := info[k]; ok {
			return nil, fmt.Errorf("the key %q is given by the other lines; take it out of the info line", k)
		}
	}
	return info, nil
}
