package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"orchestra/internal/cli/hosts"
)

// Ten members, each on a host of its own, get what nginx alone has. All lines carry 40 Mbit/s each
// way. nginx's log says what it sent: one copy and little more.
func TestTenMembersFromOneWebServer(t *testing.T) {
	t.Parallel()
	nginx := findNginx(t)
	const members, size, line = 10, 16 << 20, 40
	names := []string{"conductor", "web"}
	for i := range members {
		names = append(names, fmt.Sprint("m", i))
	}
	star := hosts.NewStar(t, names...)
	s := newLabScene(t, star.Lab, size)
	web := s.serveByNginx(nginx, "web")
	url := "http://" + star.Address("web") + ":8080/music"

	// Composed by URL before the lines are narrow: once read.
	s.composeFrom(star, url)
	before := web.sent()
	if before < size || before > size+1<<20 {
		t.Errorf("compose had nginx send %d bytes", before)
	}

	rates := map[string]int{}
	for _, name := range names {
		rates[name] = line
	}
	narrow(star, names, rates)
	s.conductOn("conductor")
	begun := time.Now()
	var players []*player
	for _, name := range names[2:] {
		players = append(players, s.on(name, "join", "--json", "--dir", filepath.Join(s.dir, name), s.orch))
	}
	for _, p := range players {
		p.untilComplete()
		s.wantCopy(p.name)
	}
	took := time.Since(begun)
	copies := float64(web.sent()-before) / size
	alone := time.Duration(float64(size) * 8 / (line * 1e6) * float64(time.Second))
	t.Logf("%d members took %.2f times what the line takes for one copy; nginx sent %.3f copies",
		members, took.Seconds()/alone.Seconds(), copies)
	most := 1.2
	if took > alone*3/2 { // the machine is busy: members take each other for gone
		most = 2
	}
	if copies < 1 || copies > most {
		t.Errorf("nginx sent %.3f copies, want %.1f at most", copies, most)
	}
}

// nginx that ends while three members get from it, and is started again after some seconds, is
// asked again soon, and for what is missing.
func TestWebServerEndsAndIsStartedAgain(t *testing.T) {
	t.Parallel()
	nginx := findNginx(t)
	const size, line = 8 << 20, 16
	names := []string{"conductor", "web", "m0", "m1", "m2"}
	star := hosts.NewStar(t, names...)
	s := newLabScene(t, star.Lab, size)
	web := s.serveByNginx(nginx, "web")
	s.composeFrom(star, "http://"+star.Address("web")+":8080/music", "-s", "256K")
	narrow(star, names, map[string]int{"web": line, "m0": line, "m1": line, "m2": line})
	before := web.sent()
	s.conductOn("conductor")
	var players []*player
	for _, name := range names[2:] {
		players = append(players, s.on(name, "join", "--json", "--dir", filepath.Join(s.dir, name), s.orch))
	}
	parts := size / (256 << 10)
	players[0].untilParts(parts / 3)
	web.stop()
	players[0].until("an error", func(e sceneEvent) bool {
		return strings.Contains(players[0].errors()+players[1].errors()+players[2].errors(), "it is asked again in")
	})
	web.start()
	begun := time.Now()
	for _, p := range players {
		p.untilComplete()
		s.wantCopy(p.name)
	}
	copies := float64(web.sent()-before) / size
	t.Logf("all were complete %v after it was started again; it sent %.3f copies", time.Since(begun), copies)
	if copies > 1.5 { // what was on its way when it ended comes twice
		t.Errorf("nginx sent %.3f copies", copies)
	}
}

// A slow web server beside a member that has everything sends little.
func TestSlowWebServer(t *testing.T) {
	t.Parallel()
	nginx := findNginx(t)
	const size, line, slow = 16 << 20, 40, 4
	names := []string{"conductor", "web", "sharer", "m0", "m1"}
	star := hosts.NewStar(t, names...)
	s := newLabScene(t, star.Lab, size)
	web := s.serveByNginx(nginx, "web")
	s.composeFrom(star, "http://"+star.Address("web")+":8080/music", "-s", "256K")
	narrow(star, names, map[string]int{"web": slow, "sharer": line, "m0": line, "m1": line})
	before := web.sent()
	s.conductOn("conductor")
	m0 := s.on("m0", "join", "--json", "--dir", filepath.Join(s.dir, "m0"), s.orch)
	m0.untilParts(2) // of the web server alone
	begun := time.Now()
	s.on("sharer", "join", "--json", "--dir", filepath.Join(s.dir, "original"), s.orch)
	m1 := s.on("m1", "join", "--json", "--dir", filepath.Join(s.dir, "m1"), s.orch)
	for _, p := range []*player{m0, m1} {
		p.untilComplete()
		s.wantCopy(p.name)
	}
	took := time.Since(begun)
	alone := time.Duration(float64(size) * 8 / (slow * 1e6) * float64(time.Second))
	copies := float64(web.sent()-before) / size
	t.Logf("all were complete after %v, from the web server it would be %v; it sent %.3f copies", took, alone, copies)
	if took > alone || copies > 0.5 {
		t.Errorf("all were complete after %v, and nginx sent %.3f copies", took, copies)
	}
}

// composeFrom composes what is at a URL.
func (s *labScene) composeFrom(star *hosts.Star, url string, options ...string) {
	s.t.Helper()
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := star.On("conductor", orchestra(s.t, append([]string{
		"compose", url, "-q", "-c", star.Address("conductor") + ":9999", "-o", s.orch,
	}, options...)...))
	if text, err := compose.CombinedOutput(); err != nil {
		s.t.Fatalf("compose: %v: %s", err, text)
	}
}

func findNginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const why = "there is no nginx (Debian: nginx-light)"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// An nginxServer is nginx on a host, at port 8080.
type nginxServer struct {
	*labScene
	program, host string
	dir           string
	cmd           *exec.Cmd
}

// serveByNginx has nginx serve the original on a host.
func (s *labScene) serveByNginx(program, host string) *nginxServer {
	s.t.Helper()
	n := &nginxServer{labScene: s, program: program, host: host, dir: s.t.TempDir()}
	text := fmt.Sprintf(`worker_processes 1; daemon off; user root; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
	log_format sent '$status $bytes_sent';
	access_log %[1]s/access.log sent;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3;
	uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	sendfile on;
	server { listen 8080; root %[2]s; }
}
`, n.dir, filepath.Join(s.dir, "original"))
	if err := os.WriteFile(n.path("nginx.conf"), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { n.stop() })
	n.start()
	return n
}

func (n *nginxServer) path(name string) string { return filepath.Join(n.dir, name) }

// start starts it, and returns when it listens.
func (n *nginxServer) start() {
	n.t.Helper()
	n.cmd = n.lab.On(n.host, exec.Command(n.program, "-c", n.path("nginx.conf"), "-p", n.dir, "-e", n.path("error.log")))
	var says strings.Builder
	n.cmd.Stdout, n.cmd.Stderr = &says, &says
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(n.path("pid")); err == nil { // it is written after it listens
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("nginx does not start: %s", &says)
		}
	}
}

// stop ends it, in the middle of what it sends.
func (n *nginxServer) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	_ = n.cmd.Wait() // it removes its pid
}

// sent is what its log says that it sent, in all.
func (n *nginxServer) sent() (sum int64) {
	n.t.Helper()
	text, err := os.ReadFile(n.path("access.log"))
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, bytes, _ := strings.Cut(strings.TrimSpace(line), " ")
		count, err := strconv.ParseInt(bytes, 10, 64)
		if err != nil {
			n.t.Fatalf("the log says %q", line)
		}
		sum += count
	}
	return sum
}

// narrow gives each of these hosts a line of so many Mbit/s each way.
func narrow(star *hosts.Star, all []string, rates map[string]int) {
	for i, name := range all {
		rate, ok := rates[name]
		if !ok {
			continue
		}
		limit := fmt.Sprintf("root tbf rate %dmbit burst 128k latency 60ms", rate)
		star.Do(fmt.Sprintf("ip netns exec @%s tc qdisc add dev eth0 %s\n"+
			"ip netns exec @router tc qdisc add dev port%d %s", name, limit, i+1, limit))
	}
}
