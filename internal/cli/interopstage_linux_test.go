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
	"slices"
	"strings"
	"testing"
	"time"

	"orchestra/internal/cli/hosts"
	"orchestra/orch"
)

// An interopScene says who gets what from whom.
type interopScene struct {
	content interopContent
	torrent torrentMaker
	tracker interopTracker
	network interopNetwork
	sharer  interopKind
	// Those that join, besides the sharer: of each kind the last ones come by a magnet link.
	guests, members, magnets int
	// encrypted guests take and open connections with RC4 alone.
	encrypted bool
	// dials is the kind that alone may open connections to the other. A sharer of it comes last.
	dials interopKind
}

// An interopKind is what a program of a scene is: a member or a guest.
type interopKind string

const (
	aMember interopKind = "member"
	aGuest  interopKind = "guest"
)

// An interopNetwork is how the programs of a scene reach each other.
type interopNetwork string

const (
	byIPv4     interopNetwork = "IPv4"
	byIPv6     interopNetwork = "IPv6"
	onLoopback interopNetwork = "127.0.0.1" // all are on one host
)

// The names of hosts, besides guest0, member0 and so on.
const (
	trackerHost = "tracker"
	sharerName  = "sharer"
	onlyHost    = "all" // on loopback
)

// An interopStage is a scene that is being played.
type interopStage struct {
	*scene
	star      *hosts.Star
	program   guestProgram
	content   interopFiles
	network   interopNetwork
	encrypted bool
	torrent   string // what guests open; members open scene.orch
}

// newInteropStage makes hosts, content and torrent, and starts the tracker.
func newInteropStage(t *testing.T, tt interopScene, program guestProgram) *interopStage {
	t.Helper()
	names := tt.hosts()
	s := &interopStage{
		scene: &scene{t: t, dir: t.TempDir()}, star: hosts.NewStar(t, names...),
		program: program, content: tt.content.make(), network: tt.network, encrypted: tt.encrypted,
	}
	if tt.network == byIPv6 {
		for _, name := range names {
			// Some programs cannot listen on 127.0.0.1 while a host has no other address of IPv4.
			// This one leads nowhere.
			s.star.Do("ip -n @" + name + " -4 addr flush dev eth0\n" +
				"ip -n @" + name + " addr add 192.0.2.1/32 dev lo")
		}
	}
	s.bar(tt)
	s.content.write(t, s.dirOf("original"))
	address := net.JoinHostPort(s.addressOf(trackerHost), fmt.Sprint(tt.tracker.port))
	s.orch, s.torrent = tt.torrent.make(t, s.dirOf("original"), address, tt.tracker.announce(address))
	s.address = address
	tt.tracker.start(s)
	return s
}

// hosts returns the names of those of a scene.
func (tt interopScene) hosts() []string {
	if tt.network == onLoopback {
		return []string{onlyHost}
	}
	return append([]string{trackerHost}, slices.Concat(tt.those(aMember), tt.those(aGuest))...)
}

// those returns the names of all members, or guests.
func (tt interopScene) those(kind interopKind) (names []string) {
	if tt.sharer == kind {
		names = append(names, sharerName)
	}
	for i := range map[interopKind]int{aMember: tt.members, aGuest: tt.guests}[kind] {
		names = append(names, fmt.Sprint(kind, i))
	}
	return names
}

// bar keeps connections from being opened by those who are not to, and from being used that are not
// as encrypted as the scene is to have them: guests say no handshake as it is, neither first nor in
// an answer. That our members try one is their affair.
func (s *interopStage) bar(tt interopScene) {
	s.t.Helper()
	const plain = "BitTorrent protocol"
	for _, member := range tt.those(aMember) {
		for _, guest := range tt.those(aGuest) {
			switch tt.dials {
			case aMember:
				s.star.RefuseDials(guest, member)
			case aGuest:
				s.star.RefuseDials(member, guest)
			}
			if tt.encrypted {
				s.star.RefuseText(guest, member, plain)
			}
			if tt.encrypted && tt.dials == aGuest {
				s.star.RefuseText(member, guest, plain)
			}
		}
	}
}

// hostOf returns the host on which a program of that name runs.
func (s *interopStage) hostOf(name string) string {
	if s.network == onLoopback {
		return onlyHost
	}
	return name
}

// on makes a command one that runs on the host of that name.
func (s *interopStage) on(name string, cmd *exec.Cmd) *exec.Cmd {
	s.t.Helper()
	return s.star.On(s.hostOf(name), cmd)
}

// dial connects from the host of that name.
func (s *interopStage) dial(name string, to netip.AddrPort) (net.Conn, error) {
	return s.star.Dial(s.hostOf(name), to)
}

// addressOf is the only address of a host.
func (s *interopStage) addressOf(name string) string {
	switch s.network {
	case byIPv6:
		return s.star.Address6(name)
	case onLoopback:
		return "127.0.0.1"
	}
	return s.star.Address(name)
}

// dirOf is where a member or guest has the content.
func (s *interopStage) dirOf(name string) string { return filepath.Join(s.dir, name) }

// member starts a member on the host of its name, which opens a composition, a torrent or a magnet
// link.
func (s *interopStage) member(name, composition string) *player {
	s.t.Helper()
	join := orchestra(s.t, "join", "--json", "--verbose", "--dir", s.dirOf(name), composition)
	p := s.start(s.on(name, join))
	p.name = name
	return p
}

// untilTracked waits until the tracker knows of somebody that is complete, or incomplete.
func (s *interopStage) untilTracked(how string) {
	s.t.Helper()
	f := s.composition()
	scrape := "http://" + s.address + "/scrape?info_hash=" + inQuery(f.ID())
	wanted := regexp.MustCompile(fmt.Sprintf("%d:%si[1-9]", len(how), how))
	s.until("program that is "+how+" at the tracker", func() error {
		text, err := s.ask(scrape)
		if err == nil && !wanted.Match(text) {
			err = fmt.Errorf("the tracker says %q", text)
		}
		return err
	})
}

// inQuery is an ID in a URL. opentracker takes no + for a space.
func inQuery(id orch.ID) string {
	return strings.ReplaceAll(url.QueryEscape(string(id[:])), "+", "%20")
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
			return s.dial(trackerHost, to)
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
