package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// A join of many compositions tells this machine's users how far each is, over a socket in a folder
// that only its user and root may enter. Who connects is sent a line of JSON for each and nothing
// is read from him.

const (
	localPattern = "join-*.sock"
	localTime    = 5 * time.Second // for one answer
)

// noLocal is why there is no status of this machine on a system.
const noLocal = "this system has no local status; name a conductor or an .orch file"

// localFolders are where joins of this machine may have their sockets, this user's first. If a
// service manager names a folder, there is no other: see systemd.exec(5), RuntimeDirectory=.
func localFolders() []string {
	if dirs := os.Getenv("RUNTIME_DIRECTORY"); dirs != "" {
		return filepath.SplitList(dirs)
	}
	var folders []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		folders = append(folders, filepath.Join(dir, "orchestra"))
	}
	if runtime.GOOS != "windows" {
		folders = append(folders, "/run/orchestra")
	}
	return folders
}

// A local is the socket of a running join.
type local struct {
	listener net.Listener // nil: there is none
	done     chan struct{}
}

// listenLocally answers whoever asks how far the compositions are. If that cannot be, it is logged:
// the join goes on without.
func listenLocally(p *program, e *ensemble) *local {
	l := &local{done: make(chan struct{})}
	if runtime.GOOS == "windows" {
		close(l.done)
		return l
	}
	var failed error
	for _, folder := range localFolders() {
		if failed = os.MkdirAll(folder, 0o700); failed != nil {
			continue
		}
		path := filepath.Join(folder, fmt.Sprintf("join-%d.sock", os.Getpid()))
		_ = os.Remove(path) // of a process that had this number before
		if l.listener, failed = net.Listen("unix", path); failed == nil {
			break
		}
	}
	if l.listener == nil {
		p.log.Debug().Err(failed).Msg("no socket for orchestra status")
		close(l.done)
		return l
	}
	go func() {
		defer close(l.done)
		for {
			conn, err := l.listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				time.Sleep(100 * time.Millisecond) // too many files are open
				continue
			}
			answerLocally(e, conn)
		}
	}()
	return l
}

// close removes the socket.
func (l *local) close() {
	if l.listener != nil {
		l.listener.Close()
	}
	<-l.done
}

// A localStatus is how far one composition is: a line of orchestra status --json without a
// conductor, see docs/scripting.md.
type localStatus struct {
	ID    string `json:"id"` // empty: the .orch file was never read
	Name  string `json:"name"`
	File  string `json:"file"`
	State string `json:"state"` // joined, opening or failed
	Path  string `json:"path"`
	Error string `json:"error"`
	Line  string `json:"text"` // for people
	joinCounts
}

// answerLocally writes how far each composition is, and ends the connection.
func answerLocally(e *ensemble, conn net.Conn) {
	defer conn.Close()
	conn.SetWriteDeadline(time.Now().Add(localTime))
	all := make(chan []localStatus, 1)
	e.later(func() { all <- e.statuses(time.Now()) })
	var lines []localStatus
	select {
	case lines = <-all:
	case <-e.gone:
		return
	}
	w := bufio.NewWriter(conn)
	out := json.NewEncoder(w)
	for _, line := range lines {
		if out.Encode(line) != nil {
			return
		}
	}
	_ = w.Flush()
}

// statuses is how far each composition is.
func (e *ensemble) statuses(now time.Time) []localStatus {
	all := make([]localStatus, 0, len(e.voices))
	for _, v := range e.sorted() {
		view := v.view(now)
		s := localStatus{Name: v.name(), File: v.path, Path: view.Path, joinCounts: *view.counts()}
		if v.file != nil {
			s.ID = v.file.ID().String()
		}
		switch {
		case v.member != nil:
			s.State, s.Line = "joined", view.line()
		case v.err != nil && !v.opening:
			s.State, s.Error = "failed", v.err.Error()
			s.Line = "is not joined: " + v.err.Error()
		default:
			s.State, s.Line = "opening", "is being opened"
		}
		all = append(all, s)
	}
	return all
}

// runLocalStatus prints how far the compositions are that are joined on this machine.
func runLocalStatus(ctx context.Context, p *program) error {
	if runtime.GOOS == "windows" {
		return &usageError{command: "status", text: noLocal}
	}
	folders := localFolders()
	var failed error
	joins := 0
	for _, path := range localSockets(folders) {
		lines, err := askLocally(ctx, path)
		switch {
		case err == nil:
			joins++
			if err := p.printLocal(lines); err != nil {
				return err
			}
		case isRefused(err), errors.Is(err, fs.ErrNotExist): // of a process that was killed
		case failed == nil:
			failed = fmt.Errorf("%s: %w", path, err)
		}
	}
	switch {
	case failed != nil:
		return withCode(exitNetwork, failed)
	case joins == 0:
		return withCode(exitNetwork, errors.New("no join of several compositions runs here for this user; "+
			"for the members of one, name its .orch file or its conductor"))
	}
	return nil
}

func localSockets(folders []string) []string {
	var all []string
	for _, folder := range folders {
		found, _ := filepath.Glob(filepath.Join(folder, localPattern)) // the pattern is right
		for _, path := range found {
			if !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// askLocally asks one join.
func askLocally(ctx context.Context, path string) ([]localStatus, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(localTime))
	var lines []localStatus
	in := json.NewDecoder(conn)
	for {
		var line localStatus
		switch err := in.Decode(&line); {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return nil, err
		}
		lines = append(lines, line)
	}
}

// printLocal prints what one join answered.
func (p *program) printLocal(lines []localStatus) error {
	for _, line := range lines {
		if err := p.result(line, line.Name+": "+line.Line); err != nil {
			return err
		}
	}
	if len(lines) == 0 {
		p.terminal.note("a join runs here that found no .orch file yet")
	}
	return nil
}
