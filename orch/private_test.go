package orch

import (
	"bytes"
	"strings"
	"testing"
)

// A composition of a private swarm keeps the ID of its content, and says which key it is.
func TestPrivate(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	f, err := Parse(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	open := f.ID()
	if f.Private() != "" {
		t.Errorf("an open swarm has the key %s", f.Private())
	}
	f.SetPrivate(strings.Repeat("f", 32))
	f.SetPrivate(key)
	var text bytes.Buffer
	if _, err := f.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(&text)
	if err != nil {
		t.Fatal(err)
	}
	if again.Private() != key || again.ID() != open {
		t.Errorf("the key is %q, and the ID %s, was %s", again.Private(), again.ID(), open)
	}
	f.SetPrivate("no key")
	if err := f.Validate(); err == nil {
		t.Error("any text is taken for a key")
	}
}
