package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orchestra/conduct"
	"orchestra/orch"
)

const (
	askEvery = time.Second      // of a conductor that is watched
	lostFor  = 30 * time.Second // a conductor that was there may be away so long
	fewest   = 5                // members that are listed for people
)

// statusOptions is what status was told.
type statusOptions struct {
	conductor string
	id        orch.ID // zeros: all that the conductor knows
	watch     bool
	wait      waitFor
	timeout   time.Duration // of waiting; 0: none
}

// A waitFor is what --wait waits for. The zero value: nothing.
type waitFor struct {
	copies int
	all    bool
}

func (w waitFor) given() bool { return w != waitFor{} }

// over reports whether it has come. All are those that are known now, of which there is one at least.
func (w waitFor) over(s *conduct.Status) bool {
	return w.all && s.Pending == 0 && s.Complete > 0 || w.copies > 0 && s.Complete >= w.copies
}

func parseWait(s string) (waitFor, error) {
	if s == "all" {
		return waitFor{all: true}, nil
	}
	n, err := parseCount(s)
	if err != nil {
		return waitFor{}, fmt.Errorf("%w, or all", err)
	}
	return waitFor{copies: n}, nil
}

func newStatus(p *program) *command {
	var o statusOptions
	c := &command{
		name: "status", arguments: "HOST:PORT [ID|FILE.orch]", most: 2,
		usage: "ask a conductor how many have all of it, and who is slowest",
		description: "Asks the conductor at HOST:PORT how far the members of a composition are, or those of all that it knows.\n" +
			"Complete are all that said so, those that have left since and the first sharer included.",
		options: []*option{
			{name: "watch", short: "w", usage: "go on until stopped: one line on a terminal, else a line for each change", set: into(&o.watch, parseSwitch)},
			{name: "wait", value: "N|all", usage: "wait until N are complete, or one and everybody who is listed; then exit 0", set: into(&o.wait, parseWait)},
			{name: "timeout", value: "DURATION", usage: "of --wait; then exit 5", set: into(&o.timeout, parseDuration)},
		},
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			return c.mistake("the conductor's address is missing")
		}
		var err error
		if o.conductor, err = orch.ReadConductor(arguments[0]); err != nil {
			return c.mistake("%v", err)
		}
		if o.timeout > 0 && !o.wait.given() {
			return c.mistake("--timeout goes with --wait")
		}
		if len(arguments) == 2 {
			if o.id, err = readID(arguments[1]); err != nil {
				return err
			}
		}
		return runStatus(ctx, p, o)
	}
	return c
}

// readID takes the ID of a composition, or that of an .orch file.
func readID(s string) (orch.ID, error) {
	if id, err := orch.ParseID(s); err == nil {
		return id, nil
	}
	f, err := openComposition(s)
	if err != nil {
		return orch.ID{}, fmt.Errorf("expected an ID or an .orch file: %w", err)
	}
	return f.ID(), nil
}

// errLate is why waiting ends with --timeout.
var errLate = errors.New("the time is over")

func runStatus(ctx context.Context, p *program, o statusOptions) error {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errLate)
		defer cancel()
	}
	q := &query{program: p, statusOptions: o}
	defer q.close()
	if !o.watch && !o.wait.given() {
		all, err := q.ask(ctx)
		if err != nil {
			return q.failed(ctx, err)
		}
		return q.answer(all)
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	var last *conduct.Status
	for {
		s, err := q.askOne(ctx)
		if err != nil && ctx.Err() == nil {
			return q.failed(ctx, err)
		}
		if s != nil {
			last = s
			if o.wait.over(s) {
				return q.end(s)
			}
			if err := q.watched(s); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return q.stopped(ctx, last)
		}
	}
}

// A query is one run of status.
type query struct {
	*program
	statusOptions
	asker *conduct.Asker // nil: not connected
	heard time.Time      // the last answer
	said  string         // what a line was printed for last
}

func (q *query) close() {
	if q.asker != nil {
		q.asker.Close()
		q.asker = nil
	}
}

// ask asks once, on a new connection if there is none.
func (q *query) ask(ctx context.Context) ([]conduct.Status, error) {
	var err error
	if q.asker == nil {
		if q.asker, err = conduct.DialAsker(ctx, q.conductor, q.id); err != nil {
			return nil, err
		}
	}
	members := fewest
	if q.common.json {
		members = conduct.MaxListed
	}
	all, err := q.asker.Ask(members)
	if err != nil {
		q.close()
		return nil, err
	}
	q.heard = time.Now()
	return all, nil
}

// askOne asks for the one composition that is meant. It is nil for a moment without a conductor, which may be started anew.
func (q *query) askOne(ctx context.Context) (*conduct.Status, error) {
	all, err := q.ask(ctx)
	var refused *conduct.RefusedError
	switch {
	case err != nil && (errors.As(err, &refused) || q.heard.IsZero() || time.Since(q.heard) > lostFor):
		return nil, err
	case err != nil:
		q.log.Debug().Err(err).Str("conductor", q.conductor).Msg("the conductor does not answer")
		return nil, nil
	case len(all) == 0:
		return &conduct.Status{}, nil
	case len(all) > 1:
		return nil, &usageError{command: "status", text: fmt.Sprintf("the conductor knows %d compositions; name one by its ID or its .orch file", len(all))}
	}
	return &all[0], nil
}

// failed is the command's error when no answer came.
func (q *query) failed(ctx context.Context, err error) error {
	var refused *conduct.RefusedError
	var usage *usageError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &usage):
		return err
	case errors.As(err, &refused):
		return withCode(exitInput, fmt.Errorf("conductor %s: %w", q.conductor, err))
	}
	return withCode(exitNetwork, fmt.Errorf("conductor %s cannot be asked (is it running, and is the address right?): %w", q.conductor, err))
}

// answer prints what one ask was answered.
func (q *query) answer(all []conduct.Status) error {
	if q.id != (orch.ID{}) && all[0].Known == 0 {
		return withCode(exitInput, fmt.Errorf("conductor %s knows nothing of composition %s: nobody has joined it there", q.conductor, q.id))
	}
	if len(all) == 0 {
		q.terminal.note("conductor %s knows no members", q.conductor)
	}
	for i := range all {
		if err := q.print(&all[i], len(all) > 1); err != nil {
			return err
		}
	}
	return nil
}

// print writes a status to stdout.
func (q *query) print(s *conduct.Status, named bool) error {
	if q.common.json {
		return q.terminal.aside(func() error { return writeJSON(q.stdout, statusJSON(s)) })
	}
	lines := []string{statusText(s)}
	if named {
		lines[0] = orch.ID(s.ID).String() + ": " + lines[0]
	} else if s.Pending > 1 && !q.watch {
		lines = append(lines, slowestTexts(s)...)
	}
	return q.terminal.aside(func() error {
		for _, line := range lines {
			if _, err := fmt.Fprintln(q.stdout, harmless(line)); err != nil {
				return err
			}
		}
		return nil
	})
}

// watched shows a status with --watch: drawn over the one before on a terminal, else printed if it is another.
func (q *query) watched(s *conduct.Status) error {
	switch {
	case !q.watch:
		return nil
	case !q.common.json && q.terminal.canDraw() && !q.terminal.isQuiet():
		q.terminal.draw(func(width int) string { return fitted(harmless(statusText(s)), width) })
		return nil
	}
	now := fmt.Sprint(untimed(s))
	if now == q.said {
		return nil
	}
	q.said = now
	return q.print(s, false)
}

// end shows the last status.
func (q *query) end(s *conduct.Status) error {
	q.terminal.wipe()
	if s == nil || q.said == fmt.Sprint(untimed(s)) {
		return nil
	}
	return q.print(s, false)
}

// stopped ends watching and waiting: to watch until one is stopped is what was asked for, to wait is not.
func (q *query) stopped(ctx context.Context, last *conduct.Status) error {
	err := q.end(last)
	what := "no answer came"
	if last != nil {
		what = statusText(last)
	}
	switch {
	case !q.wait.given():
		return err
	case errors.Is(context.Cause(ctx), errLate):
		return withCode(exitStalled, fmt.Errorf("%s after %s", what, timeText(q.timeout)))
	}
	return stopped(ctx, "%s", what)
}
