package cli

import (
	"slices"
	"testing"
)

func TestStrangeVariables(t *testing.T) {
	table := newTable(&program{}, &rootOptions{})
	known := table.variables()
	for _, name := range []string{"UPLOAD_LIMIT", "LISTEN", "QUIET", "PART_SIZE", "NAME"} {
		if !slices.Contains(known, name) {
			t.Errorf("%s is not among the flags' variables %q", name, known)
		}
	}
	got := strangeVariables([]string{
		"PATH=/bin", "ORCHESTRA_UPLOAD_LIMIT=1M", "ORCHESTRA_UPLAOD_LIMIT=1M", "ORCHESTRA_quiet=1", "ORCHESTRA_EMPTY=",
		"ORCHESTRA_PATH=/srv/music", "ORCHESTRA_CONTENT_NAME=music", "ORCHESTRA_ID=0123", "ORCHESTRA_NAME=host",
		"ORCHESTRA_SERVICE_HOST=10.0.0.1", "ORCHESTRA_SERVICE_PORT=9999", "ORCHESTRA_PORT=tcp://10.0.0.1:9999",
		"ORCHESTRA_PORT_9999_TCP_PORT=9999", "ORCHESTRA_CONDUCTORS=host", "ORCHESTRAL=yes",
	}, known)
	if want := []string{"ORCHESTRA_CONDUCTORS", "ORCHESTRA_UPLAOD_LIMIT", "ORCHESTRA_quiet"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
