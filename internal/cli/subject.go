package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"orchestra/conduct"
	"orchestra/internal/cli/fetch"
	"orchestra/orch"
	"orchestra/proto/secure"
)

// A subject is which composition status asks for, and whom.
type subject struct {
	conductors []string    // one at least; whichever answers first is asked
	id         orch.ID     // zeros: all that the conductor knows, or see prefix
	prefix     string      // the beginning of an ID in lower case; "": none
	key        *secure.Key // of the private swarm that is asked about; nil: what is open
}

// one reports whether a certain composition is asked for.
func (s *subject) one() bool { return s.id != orch.ID{} || s.prefix != "" }

// readSubject reads status's arguments: HOST:PORT, or what describes a composition with the
// conductors of that, or both in this order, or an ID or its beginning in the place of the latter.
func (p *program) readSubject(ctx context.Context, arguments []string) (subject, error) {
	first := arguments[0]
	switch {
	case len(arguments) == 1 && orch.IsMagnet(first):
		return p.subjectOfMagnet(first)
	case len(arguments) == 1 && looksLikeFile(first) && !isRoot(first):
		return p.subjectOfFile(ctx, first)
	case !strings.Contains(first, ":") && exists(first):
		hint := didYouMeanOrch(first)
		if hint == "" {
			hint = "; a conductor of that name is " + first + ":9999"
		}
		return subject{}, withCode(exitInput, fmt.Errorf("%s is neither an .orch file nor a torrent%s", first, hint))
	}
	s, err := p.subjectAt(first)
	if err != nil {
		return s, err
	}
	if len(arguments) == 1 {
		return s, nil
	}
	second := arguments[1]
	if id, err := orch.ParseID(second); err == nil {
		s.id = id
		return s, nil
	}
	if isFile := looksLikeFile(second) || exists(second); !isFile && isPrefix(second) {
		s.prefix = strings.ToLower(second)
		return s, nil
	}
	if orch.IsMagnet(second) {
		m, err := orch.ParseMagnet(second)
		if err != nil {
			return s, withCode(exitInput, err)
		}
		s.id = m.ID
		return s, nil
	}
	from, err := p.open(ctx, second)
	if err != nil {
		return s, fmt.Errorf("expected an ID or an .orch file: %w", err)
	}
	s.id = from.file.ID()
	s.key, err = p.keyOf(from)
	return s, err
}

// subjectAt asks the conductor at an address: HOST:PORT, or its URL as a whole.
func (p *program) subjectAt(address string) (s subject, err error) {
	if address, s.key, err = p.keyFor(address); err != nil {
		return s, err
	}
	if isRoot(address) {
		u, err := fetch.Parse(address)
		if err != nil {
			return s, withCode(exitInput, err)
		}
		if address = u.Host; u.Port() == "" {
			address += ":80"
		}
	}
	conductor, err := orch.ReadConductor(address)
	if err != nil {
		return s, &usageError{command: "status", text: err.Error()}
	}
	s.conductors = []string{conductor}
	return s, nil
}

// subjectOfMagnet asks the conductors that a magnet link names for what it is about. What that is
// made of is not asked for: the ID is all that a conductor needs.
func (p *program) subjectOfMagnet(link string) (subject, error) {
	m, err := orch.ParseMagnet(link)
	if err != nil {
		return subject{}, withCode(exitInput, err)
	}
	conductors := m.Conductors()
	if len(conductors) == 0 {
		return subject{}, withCode(exitInput, fmt.Errorf("the magnet link %s",
			noConductor(len(m.Trackers) > 0, "'LINK'")))
	}
	return subject{conductors: conductors, id: m.ID}, nil
}

// noConductor says that what describes a composition names no conductor, and what to do.
func noConductor(trackers bool, what string) string {
	text := "names no conductor"
	if trackers {
		text += ", and BitTorrent trackers do not tell who has how much"
	}
	return text + "; say which with: orchestra status HOST:PORT " + what
}

// subjectOfFile asks the conductors of an .orch file for its composition.
func (p *program) subjectOfFile(ctx context.Context, path string) (subject, error) {
	from, err := p.open(ctx, path)
	if err != nil {
		return subject{}, err
	}
	f := from.file
	if fetch.IsURL(path) {
		path = fetch.ShownText(path) // the key stays out of it
	}
	conductors := from.conductors(nil)
	if conductors == nil {
		conductors, err = f.Conductors()
	}
	if err == nil && len(conductors) == 0 {
		err = errors.New("it " + noConductor(len(f.Trackers()) > 0, path))
	}
	if err != nil {
		return subject{}, withCode(exitInput, fmt.Errorf("%s: %w", path, err))
	}
	key, err := p.keyOf(from)
	return subject{conductors: conductors, id: f.ID(), key: key}, err
}

// looksLikeFile reports whether an argument means an .orch file, or a torrent, by its form.
func looksLikeFile(s string) bool {
	ext := filepath.Ext(s)
	return strings.EqualFold(ext, ".orch") || strings.EqualFold(ext, ".torrent") ||
		s == "-" || fetch.IsURL(s) || strings.ContainsRune(s, os.PathSeparator)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isPrefix(s string) bool {
	const digits = "0123456789abcdef"
	return s != "" && len(s) < 2*len(orch.ID{}) && strings.Trim(strings.ToLower(s), digits) == ""
}

// find finds the one composition whose ID begins with the prefix.
func (s *subject) find(all []conduct.Status) (orch.ID, error) {
	var found []orch.ID
	for i := range all {
		if strings.HasPrefix(hex.EncodeToString(all[i].ID[:]), s.prefix) {
			found = append(found, all[i].ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return orch.ID{}, withCode(
			exitInput,
			fmt.Errorf("it knows no composition whose ID begins with %s", s.prefix),
		)
	}
	return orch.ID{}, &usageError{command: "status", text: fmt.Sprintf(
		"%d compositions have an ID that begins with %s, among them %s and %s",
		len(found),
		s.prefix,
		found[0],
		found[1],
	)}
}

// idDigits is how many digits of an ID are shown to people, at least.
const idDigits = 8

// shortIDs returns how many digits tell the IDs apart.
func shortIDs(all []conduct.Status) int {
	for digits := idDigits; digits < 2*len(orch.ID{}); digits++ {
		seen := make(map[string]bool, len(all))
		for i := range all {
			seen[orch.ID(all[i].ID).String()[:digits]] = true
		}
		if len(seen) == len(all) {
			return digits
		}
	}
	return 2 * len(orch.ID{})
}
