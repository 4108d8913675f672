package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTests = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`|\\(([a-z0-9/]+)[;)]")
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9]+)\(`)
)

// TestSecurityTests holds that each row of the tables of attacks in
// docs/security.md names tests, and that these are there.
func TestSecurityTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]map[string]bool{} // by room
	has := func(room, name string) bool {
		if there[room] == nil {
			there[room] = map[string]bool{}
			files, _ := filepath.Glob(filepath.Join("../..", room, "*_test.go"))
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range testFunc.FindAllSubmatch(source, -1) {
					there[room][string(m[1])] = true
				}
			}
		}
		return there[room][name]
	}
	rows, inTable := 0, false
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || cells[0] != "" {
			inTable = false
			continue
		}
		last := strings.TrimSpace(cells[3])
		switch {
		case last == "test" || last == "tested by":
			inTable = true
			continue
		case !inTable || strings.Trim(last, "-") == "":
			continue
		}
		rows++
		var names []string
		all := 0
		for _, m := range namedTests.FindAllStringSubmatch(last, -1) {
			if m[1] != "" {
				names = append(names, m[1])
				all++
				continue
			}
			for _, name := range names {
				if !has(m[2], name) {
					t.Errorf("%s: there is no %s in %s", cells[1], name, m[2])
				}
			}
			names = nil
		}
		if len(names) > 0 || all == 0 {
			t.Errorf("%s: of its tests the room is missing, or it has none: %s", cells[1], last)
		}
	}
	if rows < 50 {
		t.Errorf("%d rows were looked at", rows)
	}
}
