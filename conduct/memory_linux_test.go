package conduct

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"orchestra/proto"
)

// memoryProcess tells the process of TestHostileMemory that it is the conductor.
const memoryProcess = "ORCHESTRA_TEST_HOSTILE_MEMORY"

// TestHostileMemory holds what a conductor takes at most while strangers say the
// worst to it on as many connections as one address may have: 64 MiB.
func TestHostileMemory(t *testing.T) {
	if os.Getenv(memoryProcess) != "" {
		conductUntilStdinEnds(t)
		return
	}
	if underRace {
		t.Skip("the race detector takes several times the memory; make test runs this one without, too")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestHostileMemory$")
	cmd.Env = append(os.Environ(), memoryProcess+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	header := "GET /announce HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", httpHeader-100)
	long := make([]byte, 0, 1<<16)
	for n := range 200 {
		long = append(long, wire(proto.Progress{Have: uint32(n)}, proto.Announce{Port: uint16(n), Want: 50})...)
	}
	channels := trunkHello()
	for n := range uint16(2000) {
		channels = append(channels, wire(proto.Open{Channel: n, ID: idN(int(n)), PeerID: peerN(int(n))})...)
	}
	for what, said := range map[string][]byte{
		"an oversize frame":        append(orchestraHello[:len(orchestraHello):len(orchestraHello)], 0x7f, 0xff, 0xff, 0xff, 64),
		"a long header":            []byte(header),
		"a header without end":     bytes.Repeat([]byte("GET /"), 1<<20/5),
		"messages without end":     append(append(orchestraHello[:len(orchestraHello):len(orchestraHello)], wire(proto.Announce{})...), long...),
		"channels without members": channels,
	} {
		var open []net.Conn
		for range 1000 {
			nc, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, nc)
			nc.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)) // who says too much waits
			_, _ = nc.Write(said)
		}
		rss := memoryOf(t, cmd.Process.Pid)
		t.Logf("%s: %d MiB at most so far", what, rss>>20)
		if rss > 64<<20 {
			t.Errorf("%s: the conductor took %d MiB", what, rss>>20)
		}
		for _, nc := range open {
			nc.Close()
		}
	}
}

func conductUntilStdinEnds(t *testing.T) {
	c, err := New(Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	fmt.Println(c.Addr())
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
}

// memoryOf is the most that a process took.
func memoryOf(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("the system does not tell what a process takes")
	return 0
}
