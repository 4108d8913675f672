package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// An output is where a command writes the file that it makes, and what it may replace there.
type output struct {
	command   string
	extension string // of what it makes, and may replace
	what      string // it makes
	path      string // "-": stdout
	force     bool
}

func (o *output) options() []*option {
	return []*option{
		{name: "output", short: "o", value: "PATH", usage: "write there (-: stdout)", set: into(&o.path, parseText)},
		{name: "force", short: "f", usage: "replace a file that is no " + o.what, set: into(&o.force, parseSwitch)},
	}
}

// settle chooses the path if none was given, and refuses to replace the file that is read, and any
// that is not of the kind that is made unless forced.
func (o *output) settle(path, source string) error {
	if o.path == "" {
		o.path = path
	}
	if o.path == "-" {
		return nil
	}
	there, err := os.Stat(o.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return withCode(exitDisk, err)
	}
	if read, err := os.Stat(source); source != "" && err == nil && os.SameFile(there, read) {
		return o.mistake("%q is the file to %s", o.path, o.command)
	}
	switch {
	case there.IsDir():
		return o.mistake("%q is a folder", o.path)
	case there.Mode().IsRegular() && !strings.EqualFold(filepath.Ext(o.path), o.extension) && !o.force:
		return withCode(exitOther, fmt.Errorf("%s exists and is no %s; --force replaces it", o.path, o.what))
	}
	return nil
}

// mistake is an error about the path.
func (o *output) mistake(format string, args ...any) error {
	return &usageError{command: o.command, text: fmt.Sprintf(format, args...) + "; choose another --output"}
}

// write has the file replaced in one step, or what is in it written if it is a device or a pipe.
func (o *output) write(content io.WriterTo, replace func(path string) error) error {
	if there, err := os.Stat(o.path); err != nil || there.Mode().IsRegular() {
		return withCode(exitDisk, replace(o.path))
	}
	out, err := os.OpenFile(o.path, os.O_WRONLY, 0)
	if err != nil {
		return withCode(exitDisk, err)
	}
	_, err = content.WriteTo(out)
	return withCode(exitDisk, errors.Join(err, out.Close()))
}
