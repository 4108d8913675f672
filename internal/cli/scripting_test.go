package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"orchestra/member"
)

// TestScriptingDoc holds docs/scripting.md against what the commands print: the fields, and their
// types.
func TestScriptingDoc(t *testing.T) {
	doc := readScripting(t)
	progress := doc["progress"]
	end := maps.Clone(progress)
	maps.Copy(end, doc["end"])

	s := newScene(t, 1<<20, "64K")
	composed := runJSON(t, "compose", s.path("original"), "-c", s.address)
	wantFields(t, "compose", composed[0], doc["compose --json, show --json"])
	wantFields(t, "show", runJSON(t, "show", s.orch)[0], doc["compose --json, show --json"])
	wantFields(t, "verify", runJSON(t, "verify", s.orch, s.path("original"))[0], doc["verify --json"])

	seen := map[string]bool{}
	for _, event := range runJSON(t, "join", s.orch, "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0",
		"--dir", filepath.Join(s.dir, "original"), "--share-for", "1500ms") {
		name := event["event"].(string)
		seen[name] = true
		fields := doc[name]
		if name == "end" {
			fields = end
		}
		wantFields(t, "join "+name, event, fields)
	}
	for _, name := range []string{"start", "progress", "complete", "end"} {
		if !seen[name] {
			t.Errorf("join printed no %s event", name)
		}
	}
	s.join("original")
	status := runJSON(t, "status", s.address, s.orch, "--wait", "1")[0]
	// the first run is counted, this one is not listed yet
	for len(status["members"].([]any)) == 0 {
		status = runJSON(t, "status", s.address, s.orch)[0]
	}
	wantFields(t, "status", status, doc["status --json"])
	origins, err := json.Marshal(originEvents(time.Now(), make([]member.Origin, 1))[0])
	if err != nil {
		t.Fatal(err)
	}
	wantFields(t, "a web server", decodeJSON(t, origins), doc["a web server in progress"])
	wantFields(t, "a member of status", status["members"].([]any)[0].(map[string]any), doc["a member in status"])
	sharing := runJSON(t, "share", s.path("original"), "--listen", "127.0.0.1:0", "--until-copies", "1")
	wantFields(t, "share", sharing[0], doc["sharing"])
	shareStatus := maps.Clone(doc["status --json"])
	shareStatus["event"] = "string"
	wantFields(t, "share's status", sharing[len(sharing)-1], shareStatus)
	o := offer{from: []offerer{{}}}
	offered, err := json.Marshal(o.json())
	if err != nil {
		t.Fatal(err)
	}
	wantFields(t, "get", decodeJSON(t, offered), doc["an offer of get"])
	listening, err := json.Marshal(conducting{"listening", s.address, "http://" + s.address + "/"})
	if err != nil {
		t.Fatal(err)
	}
	wantFields(t, "conduct", decodeJSON(t, listening), doc["conduct --json"])
}

// TestExitCodesDoc holds the table of exit codes against the constants.
func TestExitCodesDoc(t *testing.T) {
	text, err := os.ReadFile("../../docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(text), -1) {
		found = append(found, row[1])
	}
	want := fmt.Sprint([]int{
		exitDone, exitOther, exitUsage, exitInput, exitNetwork, exitStalled, exitVerify, exitStopped, exitDisk, exitLocked,
		exitHangup, exitInt, exitPipe, exitTerm,
	})
	if got := fmt.Sprint(found); got != want {
		t.Errorf("the table has %s, the program %s", got, want)
	}
}

// readScripting reads the tables of fields, by the heading above them: the type of each field.
func readScripting(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]map[string]string{}
	heading := ""
	row := regexp.MustCompile("^\\| `(\\w+)` \\| (string|number|boolean|array) \\|")
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			heading = strings.TrimSpace(strings.TrimLeft(line, "# "))
			tables[heading] = map[string]string{}
		}
		if cells := row.FindStringSubmatch(line); cells != nil {
			tables[heading][cells[1]] = cells[2]
		}
	}
	return tables
}

func wantFields(t *testing.T, what string, object map[string]any, fields map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name, value := range object {
		switch value.(type) {
		case string:
			got[name] = "string"
		case float64:
			got[name] = "number"
		case bool:
			got[name] = "boolean"
		case []any:
			got[name] = "array"
		default:
			got[name] = fmt.Sprintf("%T", value)
		}
	}
	if !maps.Equal(got, fields) {
		t.Errorf("%s prints %v; docs/scripting.md has %v", what, got, fields)
	}
}

func runJSON(t *testing.T, arguments ...string) []map[string]any {
	t.Helper()
	out, err := orchestra(t, append(arguments, "--json")...).Output()
	if err != nil {
		t.Fatalf("%v: %v", arguments, err)
	}
	var objects []map[string]any
	for line := range strings.Lines(string(out)) {
		objects = append(objects, decodeJSON(t, []byte(line)))
	}
	if len(objects) == 0 {
		t.Fatalf("%v printed nothing", arguments)
	}
	return objects
}

func decodeJSON(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(line, &object); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return object
}
