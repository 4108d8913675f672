package cli

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// lookOps are what the system was asked when it said that a file is not there, or not for this
// user. Which of them it was tells the user nothing.
var lookOps = []string{"stat", "lstat", "open", "openat", "statat", "readlink", "CreateFile"}

// plainly is the text of an error for who uses the program: without the names of system calls, and
// with what the network said in the words that waiting lines have for it.
func plainly(err error) string {
	text := err.Error()
	replace := func(part error, words string) {
		text = strings.ReplaceAll(text, part.Error(), words)
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) && slices.Contains(lookOps, path.Op) {
		replace(path, path.Path+": "+path.Err.Error())
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Err != nil {
		replace(op, op.Err.Error())
	}
	switch name := (*net.DNSError)(nil); {
	case !errors.As(err, &name):
	case name.IsNotFound:
		replace(name, "there is no host of this name")
	default:
		replace(name, "its name cannot be looked up: "+name.Err)
	}
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		words := call.Err.Error()
		if errors.Is(call.Err, syscall.ECONNREFUSED) {
			words = "nothing listens there"
		}
		replace(call, words)
	}
	return text
}
