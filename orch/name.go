package orch

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxName is the largest length of a name in bytes. File systems take 255;
// ".part" and ".orch" must fit behind it.
const maxName = 250

// ReadName gives the name that line 2 means. Some writers put down the path
// that was typed, so its last component counts, after "/" or "\". An empty
// name, ".", "..", one with control characters and one over 250 bytes are
// refused.
func ReadName(name string) (string, error) {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if err := checkComponent(name, maxName); err != nil {
		return "", fmt.Errorf("the name %s", err)
	}
	return name, nil
}

// checkComponent says what is wrong with name as one component of a path. Its
// error continues a sentence.
func checkComponent(name string, longest int) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case name == "." || name == "..":
		return fmt.Errorf("is %q, which stands for a folder", name)
	case len(name) > longest:
		return fmt.Errorf("has %d bytes; %d is the most", len(name), longest)
	case strings.ContainsFunc(name, isControl):
		return fmt.Errorf("%s has control characters", quote(name))
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// quote shows text from a file in an error, cut where it is long. What is no text is not shown.
func quote(s string) string {
	const most = 80
	if !utf8.ValidString(s) {
		return fmt.Sprintf("%d bytes that are no UTF-8 text", len(s))
	}
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%q...", s[:end])
}
