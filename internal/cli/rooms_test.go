package cli

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rooms, and what each may import of the others (docs/architecture.md). Its tests may besides
// import what they test against.
var rooms = map[string][]string{
	".": {"internal/cli"},
	"internal/cli": {
		"compose", "conduct", "internal/cli/fetch", "internal/cli/lan", "conduct/page", "member", "member/magnet",
		"member/origin", "member/store", "orch", "proto/secure",
	},
	"internal/cli/fetch": {"proto", "proto/mtu"},
	"internal/cli/lan":   {},
	"compose":            {"orch"},
	"conduct": {
		"conduct/page", "orch", "proto", "proto/bencode", "proto/mse", "proto/mtu", "proto/secure",
	},
	"conduct/page": {},
	"member": {
		"member/intake", "member/link", "member/origin", "member/store", "member/swarm",
		"member/tracker", "orch", "proto", "proto/mse", "proto/mtu", "proto/secure",
	},
	"member/intake":       {"member/swarm"},
	"member/link":         {"member/swarm", "proto"},
	"member/magnet":       {"member/tracker", "orch", "proto", "proto/mse"},
	"member/origin":       {"orch", "proto"},
	"member/slogto":       {},
	"member/swarm":        {"proto"},
	"member/store":        {"member/store/disk", "member/store/sha1x8", "orch"},
	"member/store/disk":   {},
	"member/tracker":      {"proto", "proto/bencode"},
	"member/store/sha1x8": {},
	"orch":                {"proto/bencode"},
	"proto":               {"proto/bencode"},
	"proto/bencode":       {},
	"proto/mse":           {},
	"proto/mtu":           {},
	"proto/secure":        {"proto"},

	"internal/cli/hosts":       {}, // of tests only
	"internal/cli/switchboard": {}, // so is this
	"proto/mse/msetest":        {}, // and this
}

// pure are the rooms that decide while others do, and impure is what they may not import.
var pure = []string{"member/link", "member/swarm"}

var impure = []string{"net", "net/http", "os", "io/fs", "sync", "sync/atomic", "context", "math/rand", "crypto/rand", "syscall", "path/filepath"}

// confined is what only one room may import.
var confined = map[string]string{
	"github.com/urfave/cli":        "internal/cli",
	"github.com/cheggaaa/pb":       "internal/cli",
	"golang.org/x/net":             "internal/cli/lan",
	"golang.org/x/text":            "orch",
	"rsc.io/qr":                    "internal/cli",
	"github.com/prometheus":        "conduct",
	"github.com/chromedp/chromedp": "conduct/page",
	"github.com/hanwen/go-fuse":    "internal/cli",
}

// testRooms are the rooms that only tests import.
var testRooms = []string{"internal/cli/hosts", "internal/cli/switchboard", "proto/mse/msetest"}

// ofTests is what only tests may import.
var ofTests = []string{
	"github.com/chromedp", "github.com/hanwen/go-fuse", "github.com/rclone/gofakes3", "pgregory.net/rapid",
	"go.uber.org/goleak",
}

func TestImportsPointDown(t *testing.T) {
	const root = "../.."
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		room := filepath.ToSlash(folder)
		if _, ok := rooms[room]; !ok {
			t.Errorf("%s: %s is no room of the house", path, room)
			return nil
		}
		seen[room] = true
		for _, imported := range importsOf(t, path) {
			checkImport(t, path, room, imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("the room %s is empty", room)
		}
	}
}

func checkImport(t *testing.T, path, room, imported string) {
	t.Helper()
	isTest := strings.HasSuffix(path, "_test.go")
	if imported == "testing" && !isTest && !slices.Contains(testRooms, room) {
		t.Errorf("%s: only tests import testing", path)
	}
	if local, ok := strings.CutPrefix(imported, "orchestra/"); ok && local != room && !isTest && !slices.Contains(rooms[room], local) {
		t.Errorf("%s: %s must not import %s", path, room, local)
	}
	if slices.Contains(pure, room) && !isTest && slices.Contains(impure, imported) {
		t.Errorf("%s: the room %s must not import %s", path, room, imported)
	}
	for _, module := range ofTests {
		if !isTest && strings.HasPrefix(imported, module) {
			t.Errorf("%s: only tests import %s", path, imported)
		}
	}
	for module, owner := range confined {
		if strings.HasPrefix(imported, module) && room != owner {
			t.Errorf("%s: only %s may import %s", path, owner, imported)
		}
	}
}

// Pure rooms know no clock: they are told what time it is.
func TestPureRoomsKnowNoClock(t *testing.T) {
	var files []string
	for _, room := range pure {
		list, err := filepath.Glob("../../" + room + "/*.go")
		if err != nil || len(list) == 0 {
			t.Fatalf("files of %s: %d, %v", room, len(list), err)
		}
		files = append(files, list...)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"time.Now", "time.Since", "time.After", "time.NewTimer", "time.NewTicker", "time.Sleep", "\tgo "} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %q", path, word)
			}
		}
	}
}

func importsOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		imports = append(imports, imported)
	}
	return imports
}
