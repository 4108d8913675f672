package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the program too, under its own name and those of its links.
func TestMain(m *testing.M) {
	run := func() { os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
	// The race detector waits a second at a program's end unless told not to.
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	// Nothing is remembered from one test to the next, but for tests that say where.
	if os.Getenv("CACHE_DIRECTORY") == "" {
		os.Setenv("CACHE_DIRECTORY", os.DevNull)
	}
	// Nor does a test see what another one runs meanwhile.
	if os.Getenv("RUNTIME_DIRECTORY") == "" {
		os.Setenv("RUNTIME_DIRECTORY", os.DevNull)
	}
	programs := map[string]func(){}
	all := newTable(new(program), &rootOptions{})
	for _, name := range programNames(&all) {
		programs[name] = run
	}
	maps.Copy(programs, terminalPrograms())
	if programs[strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")] == nil {
		heedSignals()
		// Those that run side by side wait more than they work.
		_ = flag.Set("test.parallel", strconv.Itoa(max(sideBySide, runtime.GOMAXPROCS(0))))
	}
	testscript.Main(m, programs)
}

// sideBySide is how many tests run at a time, of those that may, unless -parallel says so.
const sideBySide = 8

// heedSignals lets the programs of the tests heed the signals that the tests were started to
// ignore, in the background of a script or by nohup: what a process catches, its children do not
// ignore.
func heedSignals() {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

// TestTranscripts runs the command lines in testdata. To the script's own commands come:
//
//	code N PROGRAM ARGUMENT...   runs a program that must exit with N
//	random FILE SIZE             writes a file of that many random bytes, the same each time
//	flip FILE OFFSET             changes one byte
//	serve VARIABLE FOLDER        serves the folder over HTTP at $VARIABLE, until the script ends
//	bucket VARIABLE FOLDER       serves it as the bucket "music" of an S3 server, for who has the key
//	                             of "player", "secret"
//
// The torrents of libtorrent are in $TORRENTS.
func TestTranscripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", os.Getenv("GORACE"))
			env.Setenv("CACHE_DIRECTORY", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("RUNTIME_DIRECTORY", filepath.Join(env.WorkDir, ".run"))
			torrents, err := filepath.Abs(filepath.Join("..", "..", "orch", "testdata", "torrents"))
			env.Setenv("TORRENTS", torrents)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":   scriptCode,
			"random": scriptRandom,
			"flip":   scriptFlip,
			"serve":  scriptServe,
			"bucket": scriptBucket,
		},
	})
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARGUMENT...")
	}
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

func scriptRandom(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), randomBytes(size), 0o644))
}

func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	offset, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(flipByte(ts.MkAbs(args[0]), offset))
}

// scriptServe serves a folder. What is below /moving has another state each time, what is below
// /endless does not say how long it is, and what is below /short ends too soon.
func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	files := http.FileServer(http.Dir(ts.MkAbs(args[1])))
	mux := http.NewServeMux()
	mux.Handle("/", files)
	states := 0
	mux.Handle("/moving/", http.StripPrefix("/moving", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		states++
		w.Header().Set("ETag", strconv.Quote(strconv.Itoa(states)))
		files.ServeHTTP(w, r)
	})))
	mux.HandleFunc("/endless/", func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
	})
	mux.HandleFunc("/short/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 500))
	})
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// scriptBucket serves the files of a folder, by their paths in it.
func scriptBucket(ts *testscript.TestScript, _ bool, args []string) {
	ctx, bucket := context.Background(), s3mem.New()
	ts.Check(bucket.CreateBucket(ctx, "music"))
	folder := os.DirFS(ts.MkAbs(args[1]))
	ts.Check(fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := fs.ReadFile(folder, path)
		ts.Check(err)
		_, err = bucket.PutObject(ctx, "music", path, nil, bytes.NewReader(b), int64(len(b)))
		return err
	}))
	keys := gofakes3.WithV4Auth(map[string]string{"player": "secret"})
	server := httptest.NewServer(gofakes3.New(bucket, keys).Server())
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// randomBytes gives the same bytes each time, which no compression makes shorter.
func randomBytes(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func flipByte(path string, offset int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		return err
	}
	b[0] ^= 1
	_, err = f.WriteAt(b[:], offset)
	return err
}

// TestGoldenSample composes the picture that the format's specification describes.
func TestGoldenSample(t *testing.T) {
	const sample = "../../../shared/golden/maxresdefault.jpg"
	want, err := os.ReadFile(sample + ".orch")
	if err != nil {
		t.Skip("the golden files are not beside this clone")
	}
	out := t.TempDir() + "/out.orch"
	compose := orchestra(t, "compose", "--no-times", sample, "192.168.1.1:9999", "-o", out)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// orchestra is a run of orchestra that ends with the test.
func orchestra(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("orchestra" + map[bool]string{true: ".exe"}[runtime.GOOS == "windows"])
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), path, arguments...)
}

// filesIn are the paths of all files and links in a folder that lead to something, sorted.
func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		paths = append(paths, relative)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}
