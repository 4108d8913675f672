package member

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"orchestra/member/swarm"
	"orchestra/proto"
)

func TestWhatAnswers(t *testing.T) {
	random := randomBytes(96)
	for _, test := range []struct {
		said string
		want swarm.Fault
	}{
		{"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>", swarm.Web},
		{"<html><body>400</body></html>", swarm.Web},
		{"HTTP/1.0 200 OK\r\nServer: Orchestra\r\n\r\nd14:failure", swarm.Conducts},
		{"HTTP/1.0 200 OK\r\n\r\nd14:failure reason12:no info hashe", swarm.Tracker},
		{"d14:failure reason12:no info hashe", swarm.Tracker},
		{"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", swarm.SomethingElse},
		{"220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n", swarm.SomethingElse},
		{"\x15\x03\x01\x00\x02\x02\x32", swarm.SomethingElse},
		{"", swarm.SomethingElse},
		{string(random), swarm.Encrypted},
		{string(random[:10]), swarm.SomethingElse}, // too little to tell
	} {
		if got := whatAnswers([]byte(test.said)); got != test.want {
			t.Errorf("%.30q is taken for %d, want %d", test.said, got, test.want)
		}
	}
}

// Some trackers answer a request that is no whole announcement like any web server.
func TestProbeOfATracker(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		if len(q.Get("info_hash")) != 20 || len(q.Get("peer_id")) != 20 || q.Get("port") == "" || q.Get("left") == "" {
			http.Error(w, "<title>Invalid Request</title>", http.StatusBadRequest)
			return
		}
		if q.Get("event") != "stopped" {
			t.Errorf("%v lists somebody", req.URL)
		}
		_, _ = io.WriteString(w, "d14:failure reason63:Requested download is not authorized for use with this tracker.e")
	}))
	defer server.Close()
	got := probe(t.Context(), new(net.Dialer).DialContext, server.Listener.Addr().String())
	if got != swarm.Tracker {
		t.Errorf("a tracker is taken for %d, want %d", got, swarm.Tracker)
	}
}

func TestFaultOfAnError(t *testing.T) {
	dial := func(err error) error {
		return fmt.Errorf("dial: %w", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)})
	}
	for _, test := range []struct {
		err  error
		want swarm.Fault
	}{
		{dial(syscall.ECONNREFUSED), swarm.NobodyListens},
		{dial(syscall.EHOSTUNREACH), swarm.NoWay},
		{dial(syscall.EMFILE), swarm.OwnLimits},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, swarm.NoAnswer},
		{errors.New("anything"), swarm.Unclear},
		{errOtherContent, swarm.OtherContent},
		{fmt.Errorf("it: %w", errAnother), swarm.Another},
	} {
		if got := faultOf(test.err); got != test.want {
			t.Errorf("%v is fault %d, want %d", test.err, got, test.want)
		}
	}
}

// A handshake that is none is told apart from an end, and from silence.
func TestReadHello(t *testing.T) {
	for name, test := range map[string]struct {
		said string
		want swarm.Fault
	}{
		"web server":          {"HTTP/1.1 400 Bad Request\r\n\r\n", swarm.Web},
		"nothing":             {"", swarm.HangsUp},
		"half a handshake":    {"\x13BitTorrent prot", swarm.Unclear},
		"encrypted handshake": {"\xff" + string(randomBytes(95)), swarm.Encrypted},
	} {
		here, there := net.Pipe()
		go func() {
			io.WriteString(there, test.said)
			there.Close()
		}()
		if _, err := readHello(here, proto.BitTorrent); err == nil || faultOf(err) != test.want {
			t.Errorf("%s: %v, which is fault %d, want %d", name, err, faultOf(err), test.want)
		}
		here.Close()
	}
}

func TestNoDescriptorsIsSaidOnce(t *testing.T) {
	var log bytes.Buffer
	m := &Member{cfg: Config{Log: zerolog.New(&log)}, scarcity: new(scarcity)}
	for range 3 {
		if !m.isOut(&net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}) {
			t.Error("not seen")
		}
	}
	if m.isOut(syscall.ECONNREFUSED) {
		t.Error("a refused connection is taken for it")
	}
	if n := strings.Count(log.String(), "descriptors"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
}
