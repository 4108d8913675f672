//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package cli

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keyWait is how often the key reader looks whether it is to end, and whether it is in the
// foreground again.
const keyWait = 200 * time.Millisecond

// A keyboard remembers the mode of the terminal that it changed. The terminal's lock guards it.
type keyboard struct {
	fd     int
	before *unix.Termios // nil while the mode is not ours
}

// isForeground reports whether the process may use the terminal f: its group is the one in the
// foreground, or there is no job control on f.
func isForeground(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// grab turns line editing and echo off, and nothing else: Ctrl-C still sends its signal, and output
// keeps its line ends. A read then returns at once with what was typed.
func (k *keyboard) grab(f *os.File) error {
	fd := int(f.Fd())
	mode, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	if mode.Lflag&(unix.ICANON|unix.ECHO) == 0 {
		return nil
	}
	before := *mode
	mode.Lflag &^= unix.ICANON | unix.ECHO
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 0, 0
	if err := unix.IoctlSetTermios(fd, setTermios, mode); err != nil {
		return err
	}
	k.fd, k.before = fd, &before
	return nil
}

// restore gives the terminal its mode back. In the background the terminal is somebody else's.
func (k *keyboard) restore() {
	if k.before == nil {
		return
	}
	if group, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP); err == nil && group == unix.Getpgrp() {
		_ = unix.IoctlSetTermios(k.fd, setTermios, k.before)
	}
	k.before = nil
}

// watch serves the key and Ctrl-Z until ctx ends: pressed is called for each q. Without a terminal
// on stdin, or with readKeys false, there is no key.
func (t *terminal) watch(ctx context.Context, readKeys bool, pressed func()) {
	var all sync.WaitGroup
	if !signal.Ignored(syscall.SIGTSTP) {
		suspend := make(chan os.Signal, 1)
		signal.Notify(suspend, syscall.SIGTSTP) // before the key reader changes the mode
		defer signal.Stop(suspend)
		all.Go(func() { t.serveSuspend(ctx, suspend) })
	}
	if readKeys {
		all.Go(func() { t.readKeys(ctx, pressed) })
	}
	all.Wait()
	t.restore()
}

// serveSuspend leaves the terminal in order before Ctrl-Z stops the process. When it goes on, the
// next drawing and the key reader take the terminal again.
func (t *terminal) serveSuspend(ctx context.Context, suspend <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-suspend:
			t.mu.Lock()
			t.wipeLocked()
			t.keyboard.restore()
			_ = unix.Kill(unix.Getpid(), unix.SIGSTOP) // returns when the process goes on
			t.mu.Unlock()
		}
	}
}

// readKeys polls, since a read could not be ended, and reads in the foreground only, where it does
// not stop the process.
func (t *terminal) readKeys(ctx context.Context, pressed func()) {
	fds := []unix.PollFd{{Fd: int32(t.in.Fd()), Events: unix.POLLIN}}
	var typed [64]byte
	for ctx.Err() == nil {
		if !t.hasKeyboard() {
			select {
			case <-ctx.Done():
			case <-time.After(keyWait):
			}
			continue
		}
		switch n, err := unix.Poll(fds, int(keyWait.Milliseconds())); {
		case n == 0 || err == unix.EINTR:
			continue
		case err != nil || fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
			return // the terminal is gone
		case !t.hasKeyboard():
			continue
		}
		n, err := unix.Read(int(fds[0].Fd), typed[:])
		if err != nil && err != unix.EINTR && err != unix.EAGAIN {
			return
		}
		if n > 0 && typed[0] != '\x1b' && bytes.ContainsAny(typed[:n], "qQ") {
			pressed()
		}
	}
}

// hasKeyboard reports whether keys may be read now: in the foreground, with the terminal in our
// mode.
func (t *terminal) hasKeyboard() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return isForeground(t.in) && t.keyboard.grab(t.in) == nil
}
