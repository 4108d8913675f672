package slogto_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"orchestra/conduct"
	"orchestra/member/slogto"
)

// withoutTime is a handler that writes the same each time.
func withoutTime(out *bytes.Buffer, least slog.Level) slog.Handler {
	return slog.NewTextHandler(out, &slog.HandlerOptions{Level: least, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

func TestLinesArePassedOn(t *testing.T) {
	var out bytes.Buffer
	log := slogto.Handler(withoutTime(&out, slog.LevelDebug)).With().Timestamp().Str("from", "here").Logger()
	log.Debug().Int("n", 7).Float64("f", 1.5).Bool("b", true).Msg("a debug line")
	log.Info().Str("text", "a\nb").Msg("an info line")
	log.Warn().Err(errors.New("broken")).Msg("a warning")
	log.Error().Strs("all", []string{"x", "y"}).Send()
	log.Trace().Msg("not wanted")
	want := `level=DEBUG msg="a debug line" from=here n=7 f=1.5 b=true
level=INFO msg="an info line" from=here text="a\nb"
level=WARN msg="a warning" from=here error=broken
level=ERROR msg="" from=here all="[x y]"
`
	if got := out.String(); got != want {
		t.Errorf("it logs\n%swant\n%s", got, want)
	}
}

// What the handler does not want is not even made ready.
func TestLevel(t *testing.T) {
	var out bytes.Buffer
	for least, want := range map[slog.Level]zerolog.Level{
		slog.LevelDebug - 4: zerolog.TraceLevel, slog.LevelDebug: zerolog.DebugLevel,
		slog.LevelInfo: zerolog.InfoLevel, slog.LevelWarn: zerolog.WarnLevel, slog.LevelError + 4: zerolog.ErrorLevel,
	} {
		log := slogto.Handler(withoutTime(&out, least))
		if got := log.GetLevel(); got != want {
			t.Errorf("for %v: %v, want %v", least, got, want)
		}
		log.Error().Msg("error")
	}
	if n := strings.Count(out.String(), "\n"); n != 4 {
		t.Errorf("%d lines of five errors, one of which is not wanted", n)
	}
}

func ExampleHandler() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelInfo})
	c, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0", Log: slogto.Handler(handler)})
	fmt.Println(c != nil, err)
	// Output: true <nil>
}
