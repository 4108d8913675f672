package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A join of two compositions over one port: one of them is removed and comes back, and the other
// one does not notice. What a broken .orch file costs is its own.
func TestManyScene(t *testing.T) {
	s := newScene(t, 1<<20, "64K")
	second := randomBytes(3 << 19)
	if err := os.WriteFile(filepath.Join(s.dir, "original", "poem"), second, 0o644); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(s.dir, "orch")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	poem := filepath.Join(s.dir, "poem.orch")
	compose := orchestra(t, "compose", filepath.Join(s.dir, "original", "poem"), "-q",
		"-c", s.address, "-o", poem)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	put := func(path, name string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		hidden := filepath.Join(folder, "."+name)
		if err := os.WriteFile(hidden, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(hidden, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(s.orch, "music.orch")
	put(poem, "poem.orch")

	runtimeDir := t.TempDir()
	t.Setenv("RUNTIME_DIRECTORY", runtimeDir)
	sharer := s.start(orchestra(t, "join", "--json", "--listen", "127.0.0.1:0",
		"--dir", filepath.Join(s.dir, "original"), folder+"/"))
	done := map[string]bool{}
	sharer.until("both are complete", func(e sceneEvent) bool {
		if e.Event == "complete" {
			done[e.Name] = true
		}
		return len(done) == 2
	})
	if runtime.GOOS != "windows" {
		wantLocalStatus(t)
	}

	first := s.join("first", "--exit")
	wantDone(t, first)
	s.wantCopy("first")

	if err := os.Remove(filepath.Join(folder, "music.orch")); err != nil {
		t.Fatal(err)
	}
	sharer.until("music is let go", is("left", "music"))
	get := s.start(orchestra(t, "join", "--json", "--exit", "--listen", "127.0.0.1:0",
		"--dir", filepath.Join(s.dir, "second"), poem))
	wantDone(t, get)
	if got, err := os.ReadFile(filepath.Join(s.dir, "second", "poem")); err != nil || !bytes.Equal(got, second) {
		t.Errorf("the other one was not shared on: %v", err)
	}
	if _, err := os.Stat(s.path("original")); err != nil {
		t.Errorf("what was let go is gone: %v", err)
	}

	if err := os.WriteFile(filepath.Join(folder, "bad.orch"), []byte("?\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sharer.until("one cannot be joined", is("failed", "bad.orch"))
	put(s.orch, "music.orch")
	sharer.until("music is joined again", is("joined", "music"))
	third := s.join("third", "--exit")
	wantDone(t, third)
	s.wantCopy("third")
}

// is tells an event about one composition.
func is(event, name string) func(sceneEvent) bool {
	return func(e sceneEvent) bool { return e.Event == event && e.Name == name }
}

func wantDone(t *testing.T, p *player) {
	t.Helper()
	if code := p.wait(); code != exitDone {
		t.Errorf("exit code %d: %s", code, p.errors())
	}
}

// wantLocalStatus asks what runs on this machine, in words and for programs.
func wantLocalStatus(t *testing.T) {
	t.Helper()
	out, err := orchestra(t, "status").Output()
	if err != nil || !bytes.Contains(out, []byte("music: 16 of 16 parts (100 %)")) ||
		bytes.Count(out, []byte("\n")) != 2 {
		t.Errorf("status says %q, %v", out, err)
	}
	doc := readScripting(t)
	fields := maps.Clone(doc["progress"])
	maps.Copy(fields, doc["status --json of this machine"])
	delete(fields, "event")
	delete(fields, "seconds")
	for _, object := range runJSON(t, "status") {
		wantFields(t, "status of this machine", object, fields)
	}
	event := joinEvent{Event: "failed", ID: "x", Name: "x", File: "x", Error: "x", Seconds: new(float64)}
	line, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	wantFields(t, "join failed", decodeJSON(t, line), doc["joined, left, failed"])
}
