package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"orchestra/conduct"
	"orchestra/proto/secure"
)

const (
	askEvery = time.Second      // of a conductor that is watched
	lostFor  = 30 * time.Second // a conductor that was there may be away so long
	fewest   = 5                // members that are listed for people
)

// statusOptions is what status was told.
type statusOptions struct {
	subject
	watch   bool
	wait    waitFor
	timeout time.Duration // of waiting; 0: none
}

// A waitFor is what --wait waits for. The zero value: nothing.
type waitFor struct {
	copies int
	all    bool
}

func (w waitFor) given() bool { return w != waitFor{} }

// over reports whether it has come. All are those that are known now, of which there is one at
// least.
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
		name: "status", arguments: "[HOST:PORT|FILE.orch|URL|MAGNET [ID|FILE.orch|MAGNET]]", most: 2,
		usage: "ask a conductor how many have all of it, and who is slowest",
		description: "Asks the conductor at HOST:PORT how far the members of a composition are, or those " +
			"of all that it knows.\n" +
			"With FILE.orch, a torrent, a URL of either or a magnet link alone, the conductor is the one " +
			"that it names.\n" +
			"Of an ID the beginning is enough if no other one begins so. Complete are all members that " +
			"said so, those\n" +
			"that have left since and the first sharer included. Without arguments, what the joins of " +
			"several\n" +
			"compositions tell that run here.",
		options: []*option{
			{name: "watch", short: "w", usage: "go on until stopped: one line on a terminal, else a line for each change", set: into(&o.watch, parseSwitch)},
			{name: "wait", value: "N|all", usage: "wait until N are complete, or one and everybody who is listed; then exit 0", set: into(&o.wait, parseWait)},
			{name: "timeout", value: "DURATION", usage: "of --wait; then exit 5", set: into(&o.timeout, parseDuration)},
			p.keyFileOption(),
		},
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if len(arguments) == 0 {
			if o.watch || o.wait.given() || o.timeout > 0 {
				return c.mistake("an .orch file or the conductor's address is missing")
			}
			return runLocalStatus(ctx, p)
		}
		if o.timeout > 0 && !o.wait.given() {
			return c.mistake("--timeout goes with --wait")
		}
		var err error
		if o.subject, err = p.readSubject(ctx, arguments); err != nil {
			return err
		}
		return runStatus(ctx, p, o)
	}
	return c
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
	asker  *conduct.Asker // nil: not connected
	asked  string         // the conductor that is, or was last
	heard  time.Time      // the last answer
	said   string         // what a line was printed for last
	digits int            // of IDs that are shown; 0: the least
}

func (q *query) close() {
	if q.asker != nil {
		q.asker.Close()
		q.asker = nil
	}
}

// ask asks once, on a new connection if there is none: to the first conductor
// that answers and knows what is asked for, or else the first that answers.
func (q *query) ask(ctx context.Context) ([]conduct.Status, error) {
	if q.asker != nil {
		return q.askAgain()
	}
	var failed error
	var first []conduct.Status
	answered := ""
	for _, conductor := range q.conductors {
		q.asked = conductor
		all, err := q.dial(ctx)
		switch {
		case err != nil && len(q.conductors) == 1:
			return nil, err
		case err != nil && failed == nil:
			failed = fmt.Errorf("%s: %w", conductor, err)
		case err != nil:
			failed = fmt.Errorf("%w; %s: %w", failed, conductor, err)
		case len(q.conductors) == 1, !q.one(), known(&all[0]):
			return all, nil
		case first == nil:
			first, answered = all, conductor
			fallthrough
		default:
			q.close()
		}
	}
	if first != nil {
		q.asked = answered
		return first, nil
	}
	q.asked = strings.Join(q.conductors, ", ")
	return nil, failed
}

// dial connects to a conductor and asks it.
func (q *query) dial(ctx context.Context) ([]conduct.Status, error) {
	var err error
	if q.key == nil {
		q.asker, err = conduct.DialAsker(ctx, q.asked, q.id)
	} else {
		q.asker, err = conduct.DialPrivateAsker(ctx, q.asked, q.id, q.key)
	}
	if err != nil {
		return nil, err
	}
	if q.prefix == "" {
		return q.askAgain()
	}
	all, err := q.askAgain()
	if err != nil {
		return nil, err
	}
	q.close()
	if q.id, err = q.find(all); err != nil {
		return nil, err
	}
	q.prefix = ""
	return q.dial(ctx)
}

// askAgain asks on the connection that there is.
func (q *query) askAgain() ([]conduct.Status, error) {
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

// known reports whether anybody is there, or was.
func known(s *conduct.Status) bool { return s.Known > 0 || s.Clients > 0 }

// askOne asks for the one composition that is meant. It is nil for a moment without a conductor,
// which may be started anew.
func (q *query) askOne(ctx context.Context) (*conduct.Status, error) {
	all, err := q.ask(ctx)
	switch {
	case err != nil && (isAnswer(err) || q.heard.IsZero() || time.Since(q.heard) > lostFor):
		return nil, err
	case err != nil:
		q.log.Debug().Err(err).Str("conductor", q.asked).Msg("the conductor does not answer")
		return nil, nil
	case len(all) == 0:
		return &conduct.Status{}, nil
	case len(all) > 1:
		return nil, &usageError{command: "status", text: fmt.Sprintf("the conductor knows %d compositions; name one by its ID or its .orch file", len(all))}
	}
	return &all[0], nil
}

// isAnswer reports whether an error is what the conductor answered, which asking
// again does not mend.
func isAnswer(err error) bool {
	var refused *conduct.RefusedError
	var coded *codedError
	var usage *usageError
	return errors.As(err, &refused) || errors.As(err, &coded) || errors.As(err, &usage)
}

// failed is the command's error when no answer came.
func (q *query) failed(ctx context.Context, err error) error {
	var refused *conduct.RefusedError
	var usage *usageError
	var coded *codedError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &usage):
		return err
	case errors.As(err, &coded):
		return fmt.Errorf("conductor %s: %w", q.asked, err)
	case errors.Is(err, secure.ErrOtherKey):
		return withCode(exitInput, fmt.Errorf("conductor %s: %w; "+
			"is the key right, and does a conductor with it (--key-file) listen there?", q.asked, err))
	case errors.As(err, &refused):
		return withCode(exitInput, fmt.Errorf("conductor %s: %w", q.asked, err))
	}
	return withCode(
		exitNetwork,
		fmt.Errorf(
			"conductor %s cannot be asked (is it running, and is the address right?): %w",
			q.asked,
			err,
		),
	)
}

// answer prints what one ask was answered.
func (q *query) answer(all []conduct.Status) error {
	if q.one() && !known(&all[0]) {
		return withCode(
			exitInput,
			fmt.Errorf(
				"conductor %s knows nothing of composition %s: nobody has joined it there",
				q.asked,
				q.id,
			),
		)
	}
	if len(all) == 0 {
		q.terminal.note("conductor %s knows no members", q.asked)
	}
	q.digits = shortIDs(all)
	for i := range all {
		if err := q.print(&all[i], len(all) == 1); err != nil {
			return err
		}
	}
	return nil
}

// print writes a status to stdout, with the members that came with it or not.
func (q *query) print(s *conduct.Status, members bool) error {
	if q.common.json {
		return q.terminal.aside(func() error { return writeJSON(q.stdout, statusJSON(s)) })
	}
	lines := []string{q.line(s)}
	if members {
		lines = append(lines, memberTexts(s)...)
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

// watched shows a status with --watch: drawn over the one before on a terminal, else printed if it
// is another.
func (q *query) watched(s *conduct.Status) error {
	switch {
	case !q.watch:
		return nil
	case !q.common.json && q.terminal.canDraw() && !q.terminal.isQuiet():
		q.terminal.draw(func(width int) string { return fitted(harmless(q.line(s)), width) })
		return nil
	}
	now := fmt.Sprint(untimed(s))
	if now == q.said {
		return nil
	}
	q.said = now
	return q.print(s, false)
}

// line is a status in one line, which names the composition if none was asked for.
func (q *query) line(s *conduct.Status) string {
	if q.one() || !known(s) {
		return statusText(s)
	}
	return titleText(s, max(q.digits, idDigits)) + ": " + statusText(s)
}

// end shows the last status.
func (q *query) end(s *conduct.Status) error {
	q.terminal.wipe()
	if s == nil || q.said == fmt.Sprint(untimed(s)) {
		return nil
	}
	return q.print(s, !q.watch && s.Pending > 1)
}

// stopped ends watching and waiting: to watch until one is stopped is what was asked for, to wait
// is not.
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
