package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"orchestra/conduct"
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

// readSubject reads status's arguments: HOST:PORT, or FILE.orch with the
// conductors of that, or both in this order, or an ID or its beginning in the
// place of the file.
func (p *program) readSubject(ctx context.Context, arguments []string) (subject, error) {
	first := arguments[0]
	if len(arguments) == 1 && looksLikeFile(first) {
		return p.subjectOfFile(ctx, first)
	}
	var s subject
	conductor, err := orch.ReadConductor(first)
	if err != nil {
		return s, &usageError{command: "status", text: err.Error()}
	}
	s.conductors = []string{conductor}
	if p.keyFile != "" {
		if s.key, err = p.readKey(p.keyFile); err != nil {
			return s, err
		}
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
	from, err := p.open(ctx, second)
	if err != nil {
		return s, fmt.Errorf("expected an ID or an .orch file: %w", err)
	}
	s.id = from.file.ID()
	s.key, err = p.keyOf(from)
	return s, err
}

// subjectOfFile asks the conductors of an .orch file for its composition.
func (p *program) subjectOfFile(ctx context.Context, path string) (subject, error) {
	from, err := p.open(ctx, path)
	if err != nil {
		return subject{}, err
	}
	f := from.file
	conductors := from.conductors(nil)
	if conductors == nil {
		conductors, err = f.Conductors()
	}
	if err == nil && len(conductors) == 0 {
		err = fmt.Errorf(
			"it names no conductor; say which with: orchestra status HOST:PORT %s",
			path,
		)
	}
	if err != nil {
		return subject{}, withCode(exitInput, fmt.Errorf("%s: %w", path, err))
	}
	key, err := p.keyOf(from)
	return subject{conductors: conductors, id: f.ID(), key: key}, err
}

// looksLikeFile reports whether an argument means an .orch file by its form.
func looksLikeFile(s string) bool {
	return strings.EqualFold(filepath.Ext(s), ".orch") || strings.ContainsRune(s, os.PathSeparator)
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
