package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"orchestra/conduct"
	"orchestra/member"
	"orchestra/member/store"
	"orchestra/orch"
)

// The exit codes, as docs/scripting.md has them.
const (
	exitDone  = 0
	exitOther = 1
	exitUsage = 2
	// the .orch file or the input is missing or invalid, or the composition unknown to the
	// conductor
	exitInput    = 3
	exitNetwork  = 4   // an address cannot be listened on, or a conductor asked
	exitStalled  = 5   // nothing came for --stall-timeout, or --timeout is over
	exitVerify   = 6   // content does not verify
	exitStopped  = 7   // stopped by q before complete
	exitDisk     = 8   // full, not permitted, failed
	exitLocked   = 9   // another join has this content in this folder
	exitHangup   = 129 // SIGHUP before complete
	exitInt      = 130 // SIGINT before complete
	exitPipe     = 141 // the reader of join --stdout went, which ends other programs by SIGPIPE
	exitTerm     = 143 // SIGTERM before complete
	exitCanceled = exitOther
)

// A usageError is a mistake in the command line.
type usageError struct {
	command string // empty: of the program itself
	text    string
}

// Error says in one line what is wrong and where help is.
func (e *usageError) Error() string {
	help := "orchestra --help"
	if e.command != "" {
		help = "orchestra " + e.command + " --help"
	}
	end := ". "
	if strings.HasSuffix(e.text, "?") {
		end = " "
	}
	return e.text + end + "Try '" + help + "'"
}

// A codedError decides the exit code where the kind of an error alone does not.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// withCode gives err an exit code; nil stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code, err}
}

// A stopError is why a command was told to end.
type stopError struct {
	by   string // "q", or the name of a signal
	code int    // what the program exits with if its work was not complete
}

func (e *stopError) Error() string { return "stopped by " + e.by }

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	var (
		usage   *usageError
		coded   *codedError
		stop    *stopError
		parse   *orch.ParseError
		listen  *member.ListenError
		disk    *store.Error
		content *store.ContentError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &stop):
		return stop.code
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &parse):
		return exitInput
	case errors.As(err, &listen):
		return exitNetwork
	case errors.As(err, &content):
		return exitVerify
	case errors.Is(err, store.ErrLocked):
		return exitLocked
	case errors.As(err, &disk), isDiskError(err):
		return exitDisk
	case errors.Is(err, context.Canceled):
		return exitCanceled
	}
	return exitOther
}

// mend says what to do about an error of a command where its words do not; empty otherwise. A port
// that may not be used is not mended by choosing another one.
func mend(command string, err error) string {
	var joins *member.ListenError
	var conducts *conduct.ListenError
	listens := errors.As(err, &joins) || errors.As(err, &conducts)
	flag := "--listen"
	switch {
	case conducts != nil && conducts.Admin:
		flag = "--admin-listen"
	case joins != nil && command == "share":
		flag = "--member-listen"
	}
	switch {
	case listens && (isElsewhere(err) || isNoHost(err)):
		return "; " + flag + " takes an address of this machine"
	case conducts != nil && !conducts.Admin && isInUse(err):
		return "; is another conductor running? --listen chooses another address"
	case listens && isInUse(err):
		return "; choose another address with " + flag
	}
	return ""
}

// isDiskError reports whether a file could not be written or read: full, not permitted, or an I/O
// error.
func isDiskError(err error) bool {
	var path *os.PathError
	var link *os.LinkError
	return errors.As(err, &path) || errors.As(err, &link) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EIO)
}

// isNoHost reports whether a name is that of no host.
func isNoHost(err error) bool {
	var name *net.DNSError
	return errors.As(err, &name) && name.IsNotFound
}

// isRefused reports whether nobody listens at an address.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// stopped is the error of a command that was told to end before its work was complete: what it had
// done, and why.
func stopped(ctx context.Context, format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, context.Cause(ctx))...)
}
