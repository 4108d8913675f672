// Package slogto makes the logger that Configs take out of a [slog.Handler], for programs that log
// by log/slog. It is the one place where the two meet.
package slogto

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/rs/zerolog"
)

// Handler returns a logger whose lines go to h, which decides what is logged: for Config.Log of a
// member or a conductor.
func Handler(h slog.Handler) zerolog.Logger {
	return zerolog.New(writer{h}).Level(leastLevel(h))
}

// leastLevel is the least level that the handler takes, so that nothing is made ready for what
// nobody wants.
func leastLevel(h slog.Handler) zerolog.Level {
	for _, l := range []zerolog.Level{zerolog.TraceLevel, zerolog.DebugLevel, zerolog.InfoLevel, zerolog.WarnLevel} {
		if h.Enabled(context.Background(), levelOf(l)) {
			return l
		}
	}
	return zerolog.ErrorLevel
}

func levelOf(l zerolog.Level) slog.Level {
	switch {
	case l <= zerolog.TraceLevel:
		return slog.LevelDebug - 4
	case l == zerolog.DebugLevel:
		return slog.LevelDebug
	case l == zerolog.InfoLevel, l == zerolog.NoLevel:
		return slog.LevelInfo
	case l == zerolog.WarnLevel:
		return slog.LevelWarn
	}
	return slog.LevelError
}

// A writer takes lines in zerolog's form.
type writer struct{ h slog.Handler }

// Write takes a line whose level is not told.
func (w writer) Write(line []byte) (int, error) { return w.WriteLevel(zerolog.InfoLevel, line) }

// WriteLevel passes a line on.
func (w writer) WriteLevel(l zerolog.Level, line []byte) (int, error) {
	ctx := context.Background()
	if !w.h.Enabled(ctx, levelOf(l)) {
		return len(line), nil
	}
	message, attrs := read(line)
	r := slog.NewRecord(time.Now(), levelOf(l), message, 0)
	r.AddAttrs(attrs...)
	return len(line), w.h.Handle(ctx, r)
}

// read takes a line apart, its fields in their order. What is no such line is all message.
func read(line []byte) (message string, attrs []slog.Attr) {
	in := json.NewDecoder(bytes.NewReader(line))
	in.UseNumber()
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return string(bytes.TrimSpace(line)), nil
	}
	for in.More() {
		key, err := in.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			break
		}
		var value any
		if in.Decode(&value) != nil {
			break
		}
		text, _ := value.(string)
		switch name {
		case zerolog.MessageFieldName:
			message = text
		case zerolog.LevelFieldName, zerolog.TimestampFieldName:
		default:
			attrs = append(attrs, slog.Any(name, plain(value)))
		}
	}
	return message, slices.Clip(attrs)
}

// plain is a number as Go has them, and any other value as it is.
func plain(value any) any {
	number, ok := value.(json.Number)
	if !ok {
		return value
	}
	if n, err := number.Int64(); err == nil {
		return n
	}
	if f, err := number.Float64(); err == nil {
		return f
	}
	return number.String()
}
