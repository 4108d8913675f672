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
	t.Run("small parts", func(t *testing.T) { tenMembersFromOneWebServer(t) })
	t.Run("large parts", func(t *testing.T) { tenMembersFromOneWebServer(t, "-s", "256K") })
}

func tenMembersFromOneWebServer(t *testing.T, composed ...string) {
	const size, line = 16 << 20, 40
	var members []string
	for i := range 10 {
		members = append(members, fmt.Sprint("m", i))
	}
	s := newWebScene(t, size, members...)
	rates := map[string]int{"conductor": line, "web": line}
	for _, name := range members {
		rates[name] = line
	}
	s.begin(rates, composed...)
	if s.before > size+1<<20 { // the content was read once
		t.Errorf("compose had nginx send %d bytes", s.before)
	}
	begun := time.Now()
	s.wantCopies(s.join(members...)...)
	took, alone := time.Since(begun), lineTime(size, line)
	s.web.sentAtLeast(s.before + size)
	copies := s.copies()
	t.Logf("%d members took %.2f times what the line takes for one copy; nginx sent %.3f copies",
		len(members), took.Seconds()/alone.Seconds(), copies)
	most := 1.2
	switch {
	case took > 6*alone: // members starve: what they ask for shows how the machine is, not they
		most = float64(len(members))
	case took > alone*3/2: // the machine is busy: members take each other for gone
		most = 2
	}
	if copies > most {
		t.Errorf("nginx sent %.3f copies, want %.1f at most", copies, most)
	}
}

// nginx that ends while three members get from it, and is started again after some seconds, is
// asked again soon, and for what is missing.
func TestWebServerEndsAndIsStartedAgain(t *testing.T) {
	t.Parallel()
	const size, partSize, line = 32 << 20, 256 << 10, 16
	s := newWebScene(t, size, "m0", "m1", "m2")
	s.begin(map[string]int{"web": line, "m0": line, "m1": line, "m2": line}, "-s", "256K")
	members := s.join("m0", "m1", "m2")
	members[0].untilParts(size / partSize / 3)
	s.web.stop()
	members[0].until("an error", func(e sceneEvent) bool {
		says := members[0].errors() + members[1].errors() + members[2].errors()
		return strings.Contains(says, "it is asked again in")
	})
	s.web.start()
	begun := time.Now()
	s.wantCopies(members...)
	copies := s.copies()
	t.Logf("all were complete %v after it was started again; it sent %.3f copies",
		time.Since(begun), copies)
	if copies > 1.5 { // what was on its way when it ended comes twice
		t.Errorf("nginx sent %.3f copies", copies)
	}
}

// A slow web server beside a member that has everything sends little.
func TestSlowWebServer(t *testing.T) {
	t.Parallel()
	const size, line, slow = 16 << 20, 40, 4
	s := newWebScene(t, size, "sharer", "m0", "m1")
	s.begin(map[string]int{"web": slow, "sharer": line, "m0": line, "m1": line}, "-s", "256K")
	first := s.join("m0")
	first[0].untilParts(2) // of the web server alone
	begun := time.Now()
	s.on("sharer", "join", "--json", "--dir", filepath.Join(s.dir, "original"), s.orch)
	s.wantCopies(append(first, s.join("m1")...)...)
	took, copies, alone := time.Since(begun), s.copies(), lineTime(size, slow)
	t.Logf("all were complete after %v, from the web server it would be %v; it sent %.3f copies",
		took, alone, copies)
	if took > alone || copies > 0.5 {
		t.Errorf("all were complete after %v, and nginx sent %.3f copies", took, copies)
	}
}

// A webScene is a lab with a conductor, members, and nginx that has the content on the host "web".
type webScene struct {
	*labScene
	star   *hosts.Star
	web    *nginxServer
	names  []string // of the hosts
	size   int
	before int64 // bytes that nginx had sent when the content was composed
}

func newWebScene(t *testing.T, size int, members ...string) *webScene {
	t.Helper()
	nginx := findNginx(t)
	names := append([]string{"conductor", "web"}, members...)
	star := hosts.NewStar(t, names...)
	s := &webScene{labScene: newLabScene(t, star.Lab, size), star: star, names: names, size: size}
	s.web = s.serveByNginx(nginx, "web")
	return s
}

// begin composes what nginx has, gives the hosts lines of so many Mbit/s, and starts the conductor.
func (s *webScene) begin(rates map[string]int, options ...string) {
	s.t.Helper()
	s.composeFrom(s.star, "http://"+s.star.Address("web")+":8080/music", options...)
	s.before = s.web.sentAtLeast(int64(s.size))
	narrow(s.star, s.names, rates)
	s.conductOn("conductor")
}

// join starts members on these hosts.
func (s *webScene) join(names ...string) (players []*player) {
	s.t.Helper()
	for _, name := range names {
		dir := filepath.Join(s.dir, name)
		players = append(players, s.on(name, "join", "--json", "--dir", dir, s.orch))
	}
	return players
}

// wantCopies waits until all have the content.
func (s *webScene) wantCopies(players ...*player) {
	s.t.Helper()
	for _, p := range players {
		p.untilComplete()
		s.wantCopy(p.name)
	}
}

// copies is how many times the size of the content nginx has sent to members.
func (s *webScene) copies() float64 {
	s.t.Helper()
	return float64(s.web.sent()-s.before) / float64(s.size)
}

// lineTime is what a line of so many Mbit/s takes for so many bytes.
func lineTime(size, rate int) time.Duration {
	return time.Duration(float64(size) * 8 / float64(rate*1e6) * float64(time.Second))
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
	text := fmt.Sprintf(`worker_processes 1; daemon off; user root; pid %[1]s/pid;
error_log %[1]s/error.log;
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
	n.cmd = n.lab.On(n.host, exec.Command(n.program,
		"-c", n.path("nginx.conf"), "-p", n.dir, "-e", n.path("error.log")))
	var says strings.Builder
	n.cmd.Stdout, n.cmd.Stderr = &says, &says
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	for deadline := time.Now().Add(sceneTime); ; time.Sleep(20 * time.Millisecond) {
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

// sentAtLeast is sent when that is so much: what nginx sent stands in its log a little later.
func (n *nginxServer) sentAtLeast(bytes int64) (sum int64) {
	n.t.Helper()
	for deadline := time.Now().Add(sceneTime); ; time.Sleep(20 * time.Millisecond) {
		if sum = n.sent(); sum >= bytes {
			return sum
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("nginx sent %d bytes, want %d", sum, bytes)
		}
	}
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
