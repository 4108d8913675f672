package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"orchestra/orch"
	"orchestra/proto/secure"
)

// keyFileName is what the file with the key of a private swarm is called, beside the .orch file.
const keyFileName = "swarm.key"

// mostKeyFile is how much may stand in such a file: the key, and some blanks.
const mostKeyFile = 2 * secure.TextSize

// keyFileOption is that of the commands that look for a key beside the .orch file.
func (p *program) keyFileOption() *option {
	return &option{
		name: "key-file", value: "FILE", set: into(&p.keyFile, parseText),
		usage: "the key of a private swarm; " + keyFileName + " beside the .orch file by default",
	}
}

// readKey reads a key, and warns if others could.
func (p *program) readKey(path string) (*secure.Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, withCode(exitInput, fmt.Errorf("cannot read the key: %w", err))
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostKeyFile+1))
	if err != nil {
		return nil, withCode(exitInput, fmt.Errorf("cannot read the key: %w", err))
	}
	if len(text) > mostKeyFile {
		return nil, withCode(exitInput, fmt.Errorf("%s: it is no key: it is too large", path))
	}
	key, err := secure.ParseKey(string(text))
	if err != nil {
		return nil, withCode(exitInput, fmt.Errorf("%s: %w", path, err))
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 &&
		runtime.GOOS != "windows" {
		p.log.Warn().Msgf("others on this machine can read the key in %s; chmod 600 mends that", path)
	}
	return key, nil
}

// readKeys reads several.
func (p *program) readKeys(paths []string) ([]*secure.Key, error) {
	var keys []*secure.Key
	for _, path := range paths {
		key, err := p.readKey(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// keyAt reads the key at a path, or makes one up if nothing is there, which keepKey writes.
func (p *program) keyAt(path string) (key *secure.Key, isNew bool, err error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		key, err = p.readKey(path)
		return key, false, err
	}
	key, err = secure.NewKey()
	return key, true, err
}

// keepKey writes a key where nothing is yet, for its owner alone.
func keepKey(path string, key *secure.Key) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the key: %w", err)
	}
	_, err = file.WriteString(key.Text() + "\n")
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// keyOf is the key of a private swarm: from the URL that the .orch file came from, from --key-file,
// or beside the file. It is nil for an open swarm.
func (p *program) keyOf(from source) (*secure.Key, error) {
	f, key := from.file, from.key
	want := f.Private()
	if want == "" {
		return nil, nil
	}
	path := "the URL"
	if key == nil {
		if path = p.keyFile; path == "" {
			path = filepath.Join(filepath.Dir(from.path), keyFileName)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return nil, withCode(exitInput, fmt.Errorf("%s: its swarm is private, and there is no key in %s; "+
					"whoever composed it has the key, and --key-file takes it from elsewhere", nameOf(from), path))
			}
		}
		var err error
		if key, err = p.readKey(path); err != nil {
			return nil, err
		}
	}
	if key.ID() != want {
		return nil, withCode(exitInput, fmt.Errorf(
			"%s: its swarm is private, and the key in %s is another one (%.8s, not %.8s)",
			nameOf(from), path, key.ID(), want))
	}
	return key, nil
}

// nameOf is what an .orch file is called in an error.
func nameOf(from source) string {
	if from.path != "" {
		return from.path
	}
	return from.file.Name
}

// cutKey takes the key off a URL that carries one behind a #, where it is never sent.
func cutKey(address string) (string, *secure.Key, error) {
	address, text, ok := strings.Cut(address, "#")
	if !ok || text == "" {
		return address, nil, nil
	}
	key, err := secure.ParseKey(text)
	if err != nil {
		return address, nil, withCode(exitInput, fmt.Errorf(
			"%s: what follows the # is no key of a private swarm: %w", address, err))
	}
	return address, key, nil
}

// secured makes a connection to a conductor one between holders of a key; nil, if there is none: it
// stays as it is.
func secured(key *secure.Key) func(ctx context.Context, nc net.Conn) (net.Conn, error) {
	if key == nil {
		return nil
	}
	return func(ctx context.Context, nc net.Conn) (net.Conn, error) {
		as, err := key.NewIdentity()
		if err != nil {
			return nil, err
		}
		c, err := as.Client(ctx, nc)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// swarmText says what kind of swarm an .orch file has.
func swarmText(f *orch.File) string {
	if id := f.Private(); id != "" {
		return "private, key " + id
	}
	return "open"
}
