package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/term"

	"orchestra/internal/cli/fetch"
	"orchestra/orch"
	"orchestra/proto/secure"
)

// A source is an .orch file, and where a command has it from.
type source struct {
	file *orch.File
	path string      // of the file here; "": it is not a file here
	url  *url.URL    // where it came from; nil: from no URL
	key  *secure.Key // that came with the URL; nil: none did

	// served are conductors that gave the file away, HOST:PORT: whoever got it from them reaches
	// them, which nobody knows of the addresses in the file.
	served []string

	peers  []string // HOST:PORT, that a magnet link names
	chosen []string // paths of the files that it chooses; nil: all
}

// conductors are those to ask: the ones that the user gave, or else those that served the file,
// before those that it names. Nil is the file's own.
func (s *source) conductors(given []string) []string {
	if len(given) > 0 || len(s.served) == 0 {
		return given
	}
	all := slices.Clone(s.served)
	named, err := s.file.Conductors()
	if err != nil {
		return all // the file's own are of no use
	}
	for _, address := range named {
		elsewhere := onlyLocal([]string{address}) && !onlyLocal(s.served)
		if !elsewhere && !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all
}

// beside is where the content lies if it is beside the .orch file alone, see besideOrch.
func (s *source) beside() string {
	if s.path == "" {
		return ""
	}
	return besideOrch(s.path, s.file)
}

// open reads the .orch file that a command was given: a path, a URL, a magnet link, or - for
// standard input.
func (p *program) open(ctx context.Context, path string) (source, error) {
	return p.openAt(ctx, path, meeting{})
}

// openAt is open with where the user said that others are.
func (p *program) openAt(ctx context.Context, path string, at meeting) (source, error) {
	switch {
	case orch.IsMagnet(path):
		return p.openMagnet(ctx, path, at)
	case path == "-":
		f, err := p.openStdin()
		return source{file: f}, err
	case fetch.IsURL(path):
		return p.fetchComposition(ctx, path, nil)
	}
	f, err := openFile(path)
	return source{file: f, path: path}, err
}

func (p *program) openStdin() (*orch.File, error) {
	if term.IsTerminal(int(p.stdin.Fd())) {
		return nil, &usageError{command: p.running, text: "standard input is the terminal; - takes an .orch file from a pipe"}
	}
	f, err := readDescription(p.stdin)
	if err != nil {
		return nil, withCode(exitInput, fmt.Errorf("standard input: %w", err))
	}
	return f, nil
}

// A readError keeps apart what reading failed with from what was read.
type readError struct {
	in  io.Reader
	err error
}

func (r *readError) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// keyFor is the key for a URL: what it carries itself, which is cut off, or else --key-file.
func (p *program) keyFor(address string) (string, *secure.Key, error) {
	address, key, err := cutKey(address)
	if key == nil && err == nil && p.keyFile != "" {
		key, err = p.readKey(p.keyFile)
	}
	return address, key, err
}

// fetchComposition gets an .orch file from a URL. With a key, which the URL may carry too, it is
// asked of a conductor that has that, and of nobody else; but https is as secure.
func (p *program) fetchComposition(
	ctx context.Context, address string, key *secure.Key,
) (source, error) {
	if key == nil {
		var err error
		if address, key, err = p.keyFor(address); err != nil {
			return source{}, err
		}
	}
	cfg := fetch.Config{Size: orch.MaxFileSize, Agent: agent()}
	if strings.HasPrefix(address, "http:") {
		cfg.Secure = secured(key)
	}
	body, err := fetch.Open(ctx, address, cfg)
	if err != nil {
		if key == nil && isMissing(err) && isPathOfKey(address) {
			err = fmt.Errorf("%w; the address of what is private ends in # and a key, "+
				"and needs quotes around it", err)
		}
		return source{}, fetchError(ctx, err)
	}
	defer body.Close()
	in := &readError{in: body}
	f, err := readDescription(in)
	switch {
	case in.err != nil:
		return source{}, fetchError(ctx, in.err)
	case err != nil:
		var parse *orch.ParseError
		if errors.As(err, &parse) && parse.Line <= headLines {
			err = errors.New("no .orch file is there")
		}
		return source{}, withCode(exitInput, fmt.Errorf("%s: %w", fetch.Shown(body.URL), err))
	}
	s := source{file: f, url: body.URL, key: key}
	if body.URL.Scheme == "http" && body.Header.Get("Server") == "Orchestra" {
		host := body.URL.Host
		if body.URL.Port() == "" {
			host += ":80"
		}
		if read, err := orch.ReadConductor(host); err == nil {
			s.served = []string{read}
		}
	}
	return s, nil
}

// isMissing reports whether a server says that there is no such file.
func isMissing(err error) bool {
	var status *fetch.StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound
}

// isPathOfKey reports whether a URL may be that of a private composition, see [secure.Key.PathOf].
func isPathOfKey(address string) bool {
	name, ok := strings.CutSuffix(path.Base(address), orchExt)
	return ok && len(name) == 16 && strings.Trim(name, "0123456789abcdef") == ""
}

// fetchError is what a fetch failed with, unless the command was stopped.
func fetchError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return stopped(ctx, "nothing was fetched")
	}
	if errors.Is(err, secure.ErrOtherKey) {
		err = fmt.Errorf("%w; is the key right, and does a conductor with it listen there?", err)
	}
	return withCode(exitNetwork, fmt.Errorf("cannot get %w", err))
}

// agent is what this program calls itself to servers.
func agent() string { return "Orchestra/" + version() }
