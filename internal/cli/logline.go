package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rs/zerolog"
)

// A lineLog writes log lines as the program's own notes are: "warning: MESSAGE: ERROR (KEY VALUE,
// ...)". It is for those who look at a command and did not ask for the details of when and what.
type lineLog struct{ to io.Writer }

func (w lineLog) Write(event []byte) (int, error) {
	if _, err := io.WriteString(w.to, harmless(lineOf(event))+"\n"); err != nil {
		return 0, err
	}
	return len(event), nil
}

// lineOf is an event of the log in one line.
func lineOf(event []byte) string {
	fields := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return string(bytes.TrimSuffix(event, []byte("\n")))
	}
	take := func(name string) string {
		value, has := fields[name]
		delete(fields, name)
		if !has {
			return ""
		}
		return fmt.Sprint(value)
	}
	take(zerolog.TimestampFieldName)
	line := map[string]string{"warn": "warning: ", "error": "error: "}[take(zerolog.LevelFieldName)]
	line += take(zerolog.MessageFieldName)
	if err := take(zerolog.ErrorFieldName); err != "" {
		line += ": " + err
	}
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		rest = append(rest, name+" "+valueText(fields[name]))
	}
	if len(rest) > 0 {
		line += " (" + strings.Join(rest, ", ") + ")"
	}
	return line
}

// valueText is the value of a field; several values have blanks between them.
func valueText(v any) string {
	several, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	texts := make([]string, len(several))
	for i, v := range several {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, " ")
}
