package lan

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orchestra/internal/cli/hosts"
)

// The test binary is also what runs on the hosts of a test: by this variable, in these roles.
const roleVariable = "ORCHESTRA_LAN_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "announce":
		announceUntilEOF()
	case "find":
		findAndPrint()
	case "raw":
		printWhatIsSaid()
	default:
		goleak.VerifyTestMain(m)
	}
}

// announceUntilEOF announces a conductor on port 9999 of all addresses while stdin is open.
func announceUntilEOF() {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	listens := netip.AddrPortFrom(netip.IPv6Unspecified(), 9999)
	if err := Announce(ctx, listens, func(err error) { fmt.Println("told:", err) }); err != nil {
		fmt.Println(err)
	}
}

// findAndPrint prints who is found.
func findAndPrint() {
	found, err := Find(context.Background(), time.Second)
	if err != nil {
		fmt.Println("error:", err)
	}
	for _, f := range found {
		fmt.Println(f.Addrs)
	}
}

// printWhatIsSaid asks as Find does, and prints all addresses that stand in answers, whatever is to
// be believed of them.
func printWhatIsSaid() {
	all, err := networks()
	if err != nil || len(all) == 0 {
		fmt.Println("networks:", all, err)
		return
	}
	var mu sync.Mutex
	said := map[netip.Addr]bool{}
	var reading sync.WaitGroup
	for i := range all {
		for _, group := range groups(&all[i]) {
			for _, open := range []func(network, netip.AddrPort) (*socket, error){listen, call} {
				s, err := open(all[i], group)
				if err != nil {
					fmt.Println("error:", err)
					continue
				}
				time.AfterFunc(time.Second, func() { s.conn.Close() })
				_ = s.sendAll(query(1, false)) // IPv6 has no address in the first moments
				reading.Go(func() {
					buf := make([]byte, mostMessage)
					for {
						n, _, _, err := s.read(buf)
						if err != nil {
							return
						}
						for _, p := range readAnswer(buf[:n]) {
							mu.Lock()
							for _, at := range p.at {
								said[at.Addr()] = true
							}
							mu.Unlock()
						}
					}
				})
			}
		}
	}
	reading.Wait()
	for a := range said {
		fmt.Println(a)
	}
}

// Four hosts, which are network namespaces, and bridges between them: one is on three networks, of
// which two are private, and on each of these is another one. Everybody hears of it under its
// address there, and nobody under another.
func TestEachNetworkHearsItsOwnAddress(t *testing.T) {
	lab := hosts.NewLab(t, "hub", "a", "b", "c", "d")
	lab.Do(`
for i in 1 2 3; do
	ip -n @hub link add br$i type bridge mcast_snooping 0
	ip -n @hub link set br$i up
done
plug() {
	ip -n @$1 link add eth$2 type veth peer name $1$2 netns @hub
	ip -n @hub link set $1$2 master br$2 up
	ip -n @$1 addr add $3 dev eth$2
	ip -n @$1 link set eth$2 up
}
plug a 1 10.98.1.1/24
plug a 2 10.98.2.1/24
plug a 3 198.51.100.1/24
plug b 1 10.98.1.2/24
plug c 2 10.98.2.2/24
plug d 3 198.51.100.2/24
ip -n @a addr flush dev eth3 scope link
ip -n @d addr flush dev eth3 scope link`)
	on := func(host, role string) *exec.Cmd {
		cmd := lab.On(host, exec.CommandContext(t.Context(), os.Args[0]))
		cmd.Env = append(os.Environ(), roleVariable+"="+role)
		return cmd
	}
	announcer := on("a", "announce")
	stdin, err := announcer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	announcer.Stdout, announcer.Stderr = os.Stderr, os.Stderr
	if err := announcer.Start(); err != nil {
		t.Fatal(err)
	}
	linesOf := func(host, role string) []string {
		t.Helper()
		out, err := on(host, role).CombinedOutput()
		if err != nil {
			t.Fatalf("%s on %s: %v: %s", role, host, err, out)
		}
		var lines []string
		for scan := bufio.NewScanner(strings.NewReader(string(out))); scan.Scan(); {
			lines = append(lines, scan.Text())
		}
		return lines
	}
	for host, want := range map[string]string{"b": "10.98.1.1", "c": "10.98.2.1"} {
		var found []string
		deadline := time.Now().Add(time.Minute)
		for len(found) == 0 && time.Now().Before(deadline) {
			found = linesOf(host, "find") // it may not be announced yet
		}
		if len(found) != 1 || !strings.HasPrefix(found[0], "["+want+":9999") {
			t.Errorf("on %s is found %q, want %s", host, found, want)
		}
		said := linesOf(host, "raw")
		for !slices.Contains(said, want) && time.Now().Before(deadline) {
			said = linesOf(host, "raw") // an answer may be late, or lost
		}
		if !slices.Contains(said, want) {
			t.Errorf("on %s is said %q, want %s among it", host, said, want)
		}
		for _, a := range said {
			if a != want && !strings.HasPrefix(a, "fe80::") {
				t.Errorf("on %s is said %s, which is of another network", host, a)
			}
		}
	}
	if found := linesOf("d", "find"); len(found) != 1 || !strings.Contains(found[0], ErrNoNetwork.Error()) {
		t.Errorf("on the public network: %q", found)
	}
	stdin.Close()
	if err := announcer.Wait(); err != nil {
		t.Error(err)
	}
	if found := linesOf("b", "find"); len(found) != 0 {
		t.Errorf("when it has ended, %q is found", found)
	}
}
