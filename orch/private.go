package orch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// keyIDSize is how many hex digits tell a key apart.
const keyIDSize = 32

// Private is what tells apart the key of the private swarm in which the members
// of a composition meet; "" if the swarm is open to everybody.
func (f *File) Private() string {
	for _, l := range f.Lines {
		if l.Key == keyPrivate {
			return l.Value
		}
	}
	return ""
}

// SetPrivate has the members meet in the private swarm of a key, told by its ID.
// The composition's own ID stays the same.
func (f *File) SetPrivate(keyID string) {
	f.Lines = slices.DeleteFunc(f.Lines, func(l Line) bool { return l.Key == keyPrivate })
	f.Lines = append(f.Lines, Line{keyPrivate, keyID})
}

// addPrivate checks a "!private" line.
func (c *lineCheck) addPrivate(value string) error {
	if c.private {
		return errors.New("a second !private line")
	}
	c.private = true
	if len(value) != keyIDSize || strings.Trim(value, "0123456789abcdef") != "" {
		return fmt.Errorf("expected what tells a key apart, %d hex digits, found %s", keyIDSize, quote(value))
	}
	return nil
}
