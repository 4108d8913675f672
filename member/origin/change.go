package origin

import (
	"net/http"
	"strings"
)

// notice takes in which state of a file an answer is of, as far as the server tells states apart:
// by a strong ETag, or else by the time. It decides nothing, since servers behind one name may tell
// them apart each in its own way: what comes is verified, and the user is told.
func (s *Source) notice(st *stretch, h http.Header) {
	state := h.Get("ETag")
	if state == "" || strings.HasPrefix(state, "W/") {
		state = "at " + h.Get("Last-Modified")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state == "at ":
	case st.state == "", strings.HasPrefix(st.state, "at ") != strings.HasPrefix(state, "at "):
		st.state = state
	case st.state != state:
		st.state, s.changed = state, true
	}
}

// TakeChange reports whether a file of the origin was changed between two answers since it was
// called last.
func (s *Source) TakeChange() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.changed
	s.changed = false
	return changed
}
