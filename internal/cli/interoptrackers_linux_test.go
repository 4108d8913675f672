package cli

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

// An interopTracker is where the programs of a scene find each other.
type interopTracker struct {
	name   string
	needs  []debianProgram
	port   int
	scheme string
	start  func(s *interopStage)
}

// announce is the URL that stands in torrents.
func (t interopTracker) announce(address string) string {
	return t.scheme + "://" + address + "/announce"
}

var (
	conductorOverHTTP   = interopTracker{"the conductor over HTTP", nil, 9999, "http", startConductor}
	conductorOverUDP    = interopTracker{"the conductor over UDP", nil, 9999, "udp", startConductor}
	opentrackerOverHTTP = interopTracker{
		"opentracker over HTTP", openTracker, 6969, "http", startOpentracker,
	}
	opentrackerOverUDP = interopTracker{
		"opentracker over UDP", openTracker, 6969, "udp", startOpentracker,
	}
)

var openTracker = []debianProgram{{"opentracker", "opentracker"}}

func startConductor(s *interopStage) {
	conduct := orchestra(s.t, "conduct", "--json", "--verbose", "--udp", "--listen", ":9999")
	s.conductor = s.start(s.on(trackerHost, conduct))
	s.conductor.name = trackerHost
	s.conductor.until("listening", func(e sceneEvent) bool { return e.Event == "listening" })
}

// startOpentracker starts Debian's opentracker, which knows what its whitelist names, and has no
// IPv6. It is ready when it lets somebody leave whom it does not know.
func startOpentracker(s *interopStage) {
	s.t.Helper()
	f := s.composition()
	dir := s.dirOf(trackerHost)
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "white"), []byte(f.ID().String()+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.run(trackerHost, exec.Command("opentracker", "-i", s.addressOf(trackerHost),
		"-p", "6969", "-P", "6969", "-d", dir, "-w", "white"))
	query := url.Values{
		"peer_id": {"-XX0000-abcdefghijkl"}, "port": {"1"},
		"uploaded": {"0"}, "downloaded": {"0"}, "left": {"1"}, "compact": {"1"}, "event": {"stopped"},
	}
	s.until("answer of opentracker", func() error {
		text, err := s.ask("http://" + s.address + "/announce?info_hash=" + inQuery(f.ID()) +
			"&" + query.Encode())
		if err == nil && (!bytes.HasPrefix(text, []byte("d")) || bytes.Contains(text, []byte("failure"))) {
			err = fmt.Errorf("it says %q", text)
		}
		return err
	})
}
