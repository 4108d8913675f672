package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"orchestra/internal/cli/hosts"
	"orchestra/orch"
)

// An interopScene says who gets what from whom.
type interopScene struct {
	name            string
	content         func() interopContent
	torrent         torrentMaker
	tracker         interopTracker
	ipv6            bool // there is no IPv4
	sharer          kindOfSharer
	guests, members int // that join, besides the sharer
}

type kindOfSharer int

const (
	aMember kindOfSharer = iota
	aGuest
)

// trackerHost is the host of the tracker, conductor or other.
const trackerHost = "tracker"

// An interopStage is a scene that is being played.
type interopStage struct {
	*scene
	star    *hosts.Star
	program guestProgram
	content interopContent
	ipv6    bool
	torrent string // what guests open; members open scene.orch
}

// newInteropStage makes hosts, content and torrent, and starts the tracker.
func newInteropStage(t *testing.T, tt interopScene, program guestProgram) *interopStage {
	t.Helper()
	names := []string{trackerHost, "sharer"}
	for i := range tt.members {
		names = append(names, fmt.Sprint("member", i))
	}
	for i := range tt.guests {
		names = append(names, fmt.Sprint("guest", i))
	}
	s := &interopStage{
		scene: &scene{t: t, dir: t.TempDir()}, star: hosts.NewStar(t, names...),
		program: program, content: tt.content(), ipv6: tt.ipv6,
	}
	if tt.ipv6 {
		for _, name := range names {
			// Some programs cannot listen on 127.0.0.1 while a host has no other address of IPv4.
			// This one leads nowhere.
			s.star.Do("ip -n @" + name + " -4 addr flush dev eth0; ip -n @" + name + " addr add 192.0.2.1/32 dev lo")
		}
	}
	s.content.write(t, s.dirOf("original"))
	address := net.JoinHostPort(s.addressOf(trackerHost), fmt.Sprint(tt.tracker.port))
	s.orch, s.torrent = tt.torrent.make(t, s.dirOf("original"), address, tt.tracker.announce(address))
	s.address = address
	tt.tracker.start(s)
	return s
}

// addressOf is a host's only address.
func (s *interopStage) addressOf(host string) string {
	if s.ipv6 {
		return s.star.Address6(host)
	}
	return s.star.Address(host)
}

// dirOf is where a member or guest has the content.
func (s *interopStage) dirOf(name string) string { return filepath.Join(s.dir, name) }

// member starts a member on the host of its name.
func (s *interopStage) member(name string) *player {
	s.t.Helper()
	p := s.start(s.star.On(name, orchestra(s.t, "join", "--json", "--verbose", "--dir", s.dirOf(name), s.orch)))
	p.name = name
	return p
}

var completePeers = regexp.MustCompile(`8:completei[1-9]`)

// untilShared waits until the tracker knows of somebody that has it all.
func (s *interopStage) untilShared() {
	s.t.Helper()
	f := s.composition()
	id := f.ID()
	scrape := "http://" + s.address + "/scrape?info_hash=" + url.QueryEscape(string(id[:]))
	s.until("sharer at the tracker", func() error {
		text, err := s.ask(scrape)
		if err == nil && !completePeers.Match(text) {
			err = fmt.Errorf("the tracker says %q", text)
		}
		return err
	})
}

func (s *interopStage) composition() *orch.File {
	s.t.Helper()
	open := orch.Open
	if filepath.Ext(s.orch) == torrentExt {
		open = orch.OpenTorrent
	}
	f, err := open(s.orch)
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// ask gets what is at a URL of the tracker.
func (s *interopStage) ask(url string) ([]byte, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, err
			}
			return s.star.Dial(trackerHost, to)
		},
	}}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(io.LimitReader(answer.Body, 1<<20))
}

// untilCopied waits until a guest has the whole content. Not all of them say so.
func (s *interopStage) untilCopied(name string) {
	s.t.Helper()
	s.until(name+"'s copy", func() error {
		content := s.content
		if s.program.noEmpty {
			content = content.withoutEmpty()
		}
		return content.compare(s.dirOf(name))
	})
}

// until tries until there is no error.
func (s *interopStage) until(what string, try func() error) {
	s.t.Helper()
	deadline := time.After(sceneTime)
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			s.t.Fatalf("no %s in %v: %v", what, sceneTime, err)
		}
	}
}

// A debianProgram is a program and the package that has it.
type debianProgram struct{ name, debian string }

// needPrograms skips a test whose programs are not there.
func needPrograms(t *testing.T, programs ...debianProgram) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p.name); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing (Debian: %s)", p.name, p.debian)
		}
		t.Skipf("%s is missing (Debian: %s)", p.name, p.debian)
	}
}
