package cli

import (
	"os"
	"strings"
	"testing"
)

// A help that could not be written is no success.
func TestHelpNeedsStdout(t *testing.T) {
	readOnly, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	stderr, err := os.Create(t.TempDir() + "/stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	for _, line := range []string{"orchestra --help", "orchestra join --help"} {
		if code := Main(strings.Fields(line), readOnly, readOnly, stderr); code != exitDisk {
			t.Errorf("%s: exit code %d", line, code)
		}
	}
}

func TestWrapHelp(t *testing.T) {
	help := `orchestra sing: sing what is written in a file

Usage: orchestra sing [FLAGS] FILE

Reads FILE once, and sings.
Hand the microphone to everybody who is to sing along.

Flags:
  -v, --voice VOICE  soprano, alto, tenor or bass [$ORCHESTRA_VOICE]
      --very-long-flag-of-a-song VALUE  what it is good for, in words
  -h, --help  show this
`
	want := `orchestra sing: sing what is written in
a file

Usage: orchestra sing [FLAGS] FILE

Reads FILE once, and sings. Hand the
microphone to everybody who is to sing
along.

Flags:
  -v, --voice VOICE
          soprano, alto, tenor or bass
          [$ORCHESTRA_VOICE]
      --very-long-flag-of-a-song VALUE
          what it is good for, in words
  -h, --help  show this
`
	if got := wrapHelp(help, 40); got != want {
		t.Errorf("in 40 columns:\n%s", got)
	}
	if got := wrapHelp(help, 100); got != help {
		t.Errorf("in 100 columns:\n%s", got)
	}
	for _, line := range strings.Split(wrapHelp(help, 60), "\n") {
		if len(line) > 60 {
			t.Errorf("in 60 columns: %q", line)
		}
	}
}
