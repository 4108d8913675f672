package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pourer is a join whose stdout the test reads as a pipe.
type pourer struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *os.File
	stderr bytes.Buffer // to be read when it has ended
	ended  chan struct{}
}

// pour starts a member called name that writes the content to a pipe.
func (s *scene) pour(name string, flags ...string) *pourer {
	s.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	p := &pourer{t: s.t, out: r, ended: make(chan struct{})}
	p.cmd = orchestra(s.t, append([]string{
		"join", "--stdout", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, name), s.orch,
	}, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = w, &p.stderr
	err = p.cmd.Start()
	w.Close()
	if err != nil {
		s.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is asked for in wantEnd
		close(p.ended)
	}()
	s.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		r.Close()
		if s.t.Failed() {
			s.t.Logf("join %s: %s", name, p.stderr.String())
		}
	})
	if err := r.SetReadDeadline(time.Now().Add(sceneTime)); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// read takes so many bytes from the pipe, which must be want.
func (p *pourer) read(want []byte) {
	p.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(p.out, got); err != nil || !bytes.Equal(got, want) {
		p.t.Fatalf("read %d bytes, want %d others: %v", n, len(want), err)
	}
}

// readAll takes the rest, up to the pipe's end.
func (p *pourer) readAll(want []byte) {
	p.t.Helper()
	if got, err := io.ReadAll(p.out); err != nil || !bytes.Equal(got, want) {
		p.t.Fatalf("read %d bytes to the end, want %d others: %v", len(got), len(want), err)
	}
}

func (p *pourer) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// wantEnd waits for the program's end, and what it says then.
func (p *pourer) wantEnd(code int, says string) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(sceneTime):
		p.t.Fatal("it does not end")
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit code %d, want %d", got, code)
	}
	if !strings.Contains(p.stderr.String(), says) {
		p.t.Errorf("it says %q, want %q", p.stderr.String(), says)
	}
}

// The content comes out in order and is stored as well; the pipe ends with it although the join
// goes on.
func TestPour(t *testing.T) {
	t.Parallel()
	s := newScene(t, 16<<20+1, "64K")
	first := s.join("original")
	first.untilComplete()
	ending := s.pour("ending", "--exit")
	ending.readAll(s.content)
	ending.wantEnd(exitDone, "was written to stdout in full")
	s.wantCopy("ending")

	staying := s.pour("staying")
	staying.readAll(s.content)
	wantEnd(t, first, syscall.SIGTERM, exitDone)
	s.join("late").untilComplete() // from whom but the one that stays
	s.wantCopy("late")
	staying.signal(syscall.SIGTERM)
	staying.wantEnd(exitDone, "was written to stdout in full")
	s.wantCopy("staying")
}

// A reader that takes its time holds up neither the fetching nor the sharing; stopped before it has
// all, the join is not done.
func TestPourWaitsForItsReader(t *testing.T) {
	t.Parallel()
	s := newScene(t, 8<<20, "64K")
	first := s.join("original")
	first.untilComplete()
	slow := s.pour("slow", "--exit")
	slow.read(s.content[:1000])
	second := s.join("second") // completes from slow and original
	second.untilComplete()
	s.untilCopy("slow")
	for _, p := range []*player{first, second} {
		wantEnd(t, p, syscall.SIGTERM, exitDone)
	}
	s.join("third").untilComplete() // from slow alone
	slow.signal(syscall.SIGTERM)
	slow.wantEnd(exitTerm, "music was not written to stdout in full")
}

// untilCopy waits until the member has given the content its name.
func (s *scene) untilCopy(name string) {
	s.t.Helper()
	deadline := time.After(sceneTime)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if _, err := os.Stat(s.path(name)); err == nil {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			s.t.Fatalf("%s is not complete in time", name)
		}
	}
}

// A reader that goes early ends the join; a join that was killed begins anew with what it has.
func TestPourIsCutShort(t *testing.T) {
	t.Parallel()
	s := newScene(t, 16<<20, "64K")
	s.join("original", "--upload-limit", "256K").untilComplete()
	p := s.pour("member")
	p.read(s.content[:1000])
	p.out.Close()
	p.wantEnd(exitPipe, "stdout was closed after ")

	p = s.pour("member")
	p.read(s.content[:256<<10])
	p.signal(os.Kill)
	p.wantEnd(-1, "joining music")
	if _, err := os.Stat(s.path("member") + ".part"); err != nil {
		t.Fatal("nothing is left to go on with: ", err)
	}
	s.put("second") // which is quick
	s.join("second").untilComplete()
	p = s.pour("member", "--exit")
	p.readAll(s.content)
	p.wantEnd(exitDone, "music is complete")
	s.wantCopy("member")
}
