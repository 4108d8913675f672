package conduct

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"orchestra/conduct/page"
	"orchestra/orch"
	"orchestra/proto"
)

// aWork is a composition of one part.
func aWork(name string) *orch.File {
	sum := orch.SHA1.Sum([]byte(name))
	return &orch.File{
		Conductor: "localhost", Name: name, Checksum: sum, Size: int64(len(name)), PartSize: 16 << 10, PartSums: sum,
	}
}

func textOf(t *testing.T, f *orch.File) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// fetch asks over HTTP, and gives the answer's status, header and body.
func fetch(t *testing.T, method, address string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range header {
		req.Header[key] = values
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestPublished(t *testing.T) {
	shelf := new(Shelf)
	c := serving(t, Config{Publish: shelf})
	at := "http://" + c.Addr().String()
	names := []string{"photos", "a b", "50%", "ü & <b>?#;", `"q'`, "index.json", "..."}
	for _, name := range names {
		if err := shelf.Put(name+".orch", aWork(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		path := PublishedPath(name + ".orch")
		if strings.Trim(path[1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%") != "" {
			t.Errorf("%s has something for a shell in it", path)
		}
		res, body := fetch(t, "GET", at+path, nil)
		if res.StatusCode != http.StatusOK || body != textOf(t, aWork(name)) {
			t.Errorf("%s: %s, %q", path, res.Status, body)
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Server") != "Orchestra" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
	res, _ := fetch(t, "GET", at+"/photos.orch", nil)
	tag := res.Header.Get("Etag")
	if res, body := fetch(t, "GET", at+"/photos.orch", http.Header{"If-None-Match": {tag}}); res.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("what is known already: %s, %q", res.Status, body)
	}
	if res, body := fetch(t, "HEAD", at+"/photos.orch", nil); res.StatusCode != http.StatusOK || body != "" {
		t.Errorf("HEAD: %s, %q", res.Status, body)
	}
	for _, path := range []string{
		"/photos", "/nothing.orch", "/..%2fphotos.orch", "/..%2f..%2fetc%2fpasswd", "/%00.orch", "/a/photos.orch",
	} {
		if res, _ := fetch(t, "GET", at+path, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	shelf.Remove("photos.orch")
	if res, _ := fetch(t, "GET", at+"/photos.orch", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("what was removed: %s", res.Status)
	}
}

// The index counts as status does, and is not made anew for each who asks.
func TestIndex(t *testing.T) {
	shelf := new(Shelf)
	f := aWork("photos")
	if err := shelf.Put("photos.orch", f); err != nil {
		t.Fatal(err)
	}
	c := serving(t, Config{Publish: shelf})
	look := func() Index {
		t.Helper()
		_, body := fetch(t, "GET", "http://"+c.Addr().String()+IndexPath, nil)
		var is Index
		if err := json.Unmarshal([]byte(body), &is); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		return is
	}
	want := Listing{Path: "/photos.orch", Name: "photos", ID: f.ID().String(), Size: 6, Parts: 1}
	if got := look(); len(got.Compositions) != 1 || got.Compositions[0] != want {
		t.Errorf("the index is %+v, want %+v", got, want)
	}
	nc := callNamed(t, c, f.ID(), 1, 10, "full")
	defer nc.Close()
	for deadline := time.Now().Add(patience); look().Compositions[0].Complete != 1; {
		if time.Now().After(deadline) {
			t.Fatalf("the index does not count the copy: %+v", look())
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := shelf.Put("other.orch", aWork("other")); err != nil {
		t.Fatal(err)
	}
	if got := look(); len(got.Compositions) != 2 { // at once: what is published counts
		t.Errorf("the index is %+v", got)
	}
}

func TestStatuses(t *testing.T) {
	c := serving(t, Config{})
	a := visit(t, c, 1)
	a.send(proto.Announce{Port: 7, Parts: 4, Have: 4, Want: 50})
	next[proto.Welcome](a)
	for deadline := time.Now().Add(patience); ; {
		got, err := c.Statuses(t.Context(), 5, [20]byte{9}, testID)
		if err != nil || len(got) != 2 || got[0].Known != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		if s := got[1]; s.Complete == 1 && s.Known == 1 && len(s.Members) == 1 && s.Members[0].Complete() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it says %+v", got[1])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestStatusesAfterTheEnd(t *testing.T) {
	c, err := New(Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 * cap(c.inbox) {
		if _, err := c.Statuses(t.Context(), 0, [20]byte{1}); !errors.Is(err, ErrEnded) {
			t.Fatalf("it says %v", err)
		}
	}
}

func TestShelfNames(t *testing.T) {
	s := new(Shelf)
	for _, name := range []string{"", ".orch", "photos", "a/b.orch", `a\b.orch`, "a\n.orch", "a\x9b.orch", "\xff.orch", strings.Repeat("a", 300) + ".orch"} {
		if err := s.Put(name, aWork("x")); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is published: %v", name, err)
		}
	}
	for i := range maxPublished {
		if err := s.put(&work{file: fmt.Sprint(i, orchExt), text: []byte("12345")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put("more.orch", aWork("x")); err == nil {
		t.Error("the number has no bound")
	}
	if err := s.put(&work{file: "1.orch", text: []byte("1")}); err != nil || s.size != 5*maxPublished-4 {
		t.Errorf("replacing: %v, %d bytes", err, s.size)
	}
	s.Remove("2.orch")
	s.Remove("2.orch")
	if s.size != 5*maxPublished-9 {
		t.Errorf("%d bytes after removing", s.size)
	}
	if err := s.put(&work{file: "2.orch", text: make([]byte, maxPublishedSize+1)}); err == nil {
		t.Error("the size has no bound")
	}
	for i := range 3 {
		if err := s.put(&work{file: fmt.Sprint(i, orchExt), text: make([]byte, maxPublishedSize)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.put(&work{file: "3.orch", text: make([]byte, maxPublishedSize)}); err == nil {
		t.Error("all together have no bound")
	}
}

// A folder is watched: what comes is published when it is there in full, what goes is not any more,
// and one bad file costs itself only.
func TestFolderIsWatched(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "secret.orch")
	if err := os.WriteFile(outside, []byte(textOf(t, aWork("secret"))), 0o644); err != nil {
		t.Fatal(err)
	}
	write("one.orch", textOf(t, aWork("one")))
	write("bad.orch", "localhost\n")
	write("notes.txt", textOf(t, aWork("notes")))
	if err := os.Symlink(outside, filepath.Join(dir, "link.orch")); err != nil {
		t.Log(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.orch"), 0o755); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, err := OpenShelf(zerolog.New(&log), dir)
	if err != nil {
		t.Fatal(err)
	}
	wantShelf := func(names ...string) {
		t.Helper()
		var got []string
		for _, w := range s.all("") {
			got = append(got, w.name)
		}
		if fmt.Sprint(got) != fmt.Sprint(names) {
			t.Errorf("published are %v, want %v", got, names)
		}
	}
	wantShelf("one")
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "bad.orch") {
		t.Errorf("the log says %s", &log)
	}
	two := textOf(t, aWork("two"))
	write("two.ORCH", two[:20])
	s.watched.look(s, false)
	wantShelf("one")
	write("two.ORCH", two)
	s.watched.look(s, false)
	wantShelf("one")
	s.watched.look(s, false)
	wantShelf("one", "two")
	if s.find("two.orch") == nil {
		t.Error("its name does not end as others do")
	}
	write("one.orch", textOf(t, aWork("one, changed")))
	s.watched.look(s, false)
	s.watched.look(s, false)
	wantShelf("one, changed", "two")
	write("one.orch", "broken") // what was published stays, since it is good
	s.watched.look(s, false)
	s.watched.look(s, false)
	wantShelf("one, changed", "two")
	for _, name := range []string{"one.orch", "two.ORCH", "bad.orch"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.watched.look(s, false)
	wantShelf()
	if len(s.watched.files) != 0 {
		t.Errorf("it remembers %v", s.watched.files)
	}
}

// What is named has to be there and be good, and no two have one name.
func TestOpenShelf(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.orch"), filepath.Join(dir, "bad.orch")
	for path, text := range map[string]string{good: textOf(t, aWork("good")), bad: "nothing"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, paths := range [][]string{{bad}, {filepath.Join(dir, "missing.orch")}, {good, bad}, {os.DevNull}} {
		if _, err := OpenShelf(zerolog.Nop(), paths...); err == nil {
			t.Errorf("%v is published", paths)
		}
	}
	s, err := OpenShelf(zerolog.Nop(), good, dir)
	if err != nil || len(s.all("")) != 1 || !s.Has(aWork("good").ID()) || s.Has(aWork("other").ID()) {
		t.Errorf("%v, %v", s, err)
	}
}

// The conductor that has a shelf keeps it current while it runs.
func TestShelfIsKeptCurrent(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenShelf(zerolog.Nop(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "new.orch"), []byte(textOf(t, aWork("new"))), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		go s.watch(t.Context())
		time.Sleep(2*shelfEvery + time.Millisecond)
		synctest.Wait()
		if s.find("new.orch") == nil {
			t.Error("it is not published after two looks")
		}
	})
}

// On one port are what is published, for whoever comes under whatever name, and the page, which is
// not for everybody.
func TestPublishedBesideThePage(t *testing.T) {
	shelf := new(Shelf)
	if err := shelf.Put("photos.orch", aWork("photos")); err != nil {
		t.Fatal(err)
	}
	const token = "0123456789abcdefgh"
	ask := func(at, host, path string) int {
		t.Helper()
		req, err := http.NewRequest("GET", "http://"+at+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		once := &http.Transport{DisableKeepAlives: true}
		res, err := (&http.Client{Timeout: patience, Transport: once}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	paths := []string{
		"/photos.orch", "/nothing.orch", IndexPath, "/", "/main.js", "/metrics", "/healthz", "/nothing",
	}
	for name, test := range map[string]struct {
		cfg  Config
		host string // under which it is asked; "": its address
		want []int
	}{
		"open": {Config{Publish: shelf}, "", []int{200, 404, 200, 200, 200, 200, 200, 404}},
		"another name": {
			Config{Publish: shelf}, "www.example.com", []int{200, 404, 200, 421, 421, 421, 200, 421},
		},
		"a token": {
			Config{Publish: shelf, PageToken: token}, "", []int{200, 404, 200, 401, 200, 401, 200, 401},
		},
		"the page elsewhere": {
			Config{Publish: shelf, PageToken: token, AdminListen: "127.0.0.1:0"},
			"",
			[]int{200, 404, 200, 404, 404, 404, 404, 404},
		},
		"nothing published": {
			Config{PageToken: token}, "", []int{404, 404, 404, 401, 200, 401, 200, 401},
		},
	} {
		t.Run(name, func(t *testing.T) {
			at := serving(t, test.cfg).Addr().String()
			for i, path := range paths {
				if got := ask(at, cmp.Or(test.host, at), path); got != test.want[i] {
					t.Errorf("%s: %d, want %d", path, got, test.want[i])
				}
			}
		})
	}
}

// The page tells how to get what is published, by the address by which others come.
func TestPageOffers(t *testing.T) {
	shelf := new(Shelf)
	f := aWork("my photos")
	if err := shelf.Put("my photos.orch", f); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cfg  Config
		base string // "": its own address
		here bool
	}{
		"as it listens": {Config{}, "", true},
		"as it is told": {
			Config{Public: func() string { return "192.0.2.1:7" }}, "http://192.0.2.1:7", true,
		},
		"not here": {Config{AdminListen: "127.0.0.1:0"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.Publish = shelf
			c := serving(t, test.cfg)
			wanted := map[orch.ID]string{f.ID(): "/my%20photos.orch", aWork("other").ID(): ""}
			for id, file := range wanted {
				nc := callNamed(t, c, id, 1, 10, "full")
				defer nc.Close()
				for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
					v, ok := c.lookForPage(t.Context(), nil)
					is := func(s page.Summary) bool { return s.ID == id.String() }
					at := slices.IndexFunc(v.List, is)
					if ok && at >= 0 {
						if v.List[at].File != file {
							t.Errorf("the file of %s is at %q, want %q", id, v.List[at].File, file)
						}
						want := cmp.Or(test.base, "http://"+c.Addr().String())
						if v.Base != want || v.Here != test.here {
							t.Errorf("it is at %q, %v; want %q, %v", v.Base, v.Here, want, test.here)
						}
						break
					}
					if time.Now().After(deadline) {
						t.Fatalf("%s is not listed: %+v", id, v.List)
					}
				}
			}
		})
	}
}
