package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"golang.org/x/term"

	"orchestra/conduct"
	"orchestra/internal/cli/fetch"
	"orchestra/orch"
)

// politeFor is how long get shares when others still need it.
const politeFor = time.Minute

func newGet(p *program) *command {
	o := joinOptions{command: "get"}
	c := &command{
		name: o.command, arguments: "[URL|NAME|FILE.orch|MAGNET]", most: 1,
		usage: "get what somebody shares, and share it for a moment",
		description: "Gets what is at a URL that orchestra share printed, or what is shared under NAME on this network, or\n" +
			"what FILE.orch or a magnet link describes. Without an argument it lists what is shared on this network and asks which.\n" +
			"Prints the path of the content when it is complete, and ends when the others that it knows are complete\n" +
			"too, or after --share-for, a minute by default; with --exit at once. orchestra join goes on sharing.",
		options: o.options(p),
	}
	c.run = func(ctx context.Context, arguments []string) error {
		if err := o.settle(p, c); err != nil {
			return err
		}
		o.limits.bePolite()
		argument := ""
		if len(arguments) > 0 {
			argument = arguments[0]
		}
		from, err := p.findSource(ctx, argument, &o)
		if err != nil || from.file == nil {
			return err
		}
		return runJoin(ctx, p, o, from)
	}
	return c
}

// bePolite ends when nobody needs this member, or after a while, unless it was told when to.
func (l *limits) bePolite() {
	if l.exit || l.ratio > 0 || l.copies > 0 {
		return
	}
	l.others = true
	if l.shareFor == 0 {
		l.shareFor = politeFor
	}
}

// findSource finds the .orch file that get was asked for: at a URL, in a file, or on the network.
// It is none if the user was only shown what there is.
func (p *program) findSource(
	ctx context.Context, argument string, options *joinOptions,
) (source, error) {
	switch {
	case argument == "":
		return p.findAny(ctx, options.noInput)
	case orch.IsMagnet(argument):
		return p.openAt(ctx, argument, options.meeting())
	case isRoot(argument):
		return p.findAt(ctx, argument, options.noInput)
	case argument == "-", fetch.IsURL(argument):
		return p.open(ctx, argument)
	}
	if _, err := os.Stat(argument); !errors.Is(err, fs.ErrNotExist) {
		return p.open(ctx, argument) // it is there, or cannot be looked at
	}
	if hostAndPort.MatchString(argument) {
		argument, _, _ = strings.Cut(argument, "#") // a key is not repeated
		return source{}, &usageError{command: "get", text: fmt.Sprintf(
			"%q is neither a file nor a name; did you mean http://%s?",
			fetch.ShownText(argument), fetch.ShownText(argument))}
	}
	if looksLikeFile(argument) {
		return p.open(ctx, argument)
	}
	p.terminal.note("looking for %s on this network", shownName(argument))
	offers, err := findOffers(ctx)
	if err != nil {
		return source{}, err
	}
	o, err := named(offers, argument)
	if err != nil {
		return source{}, err
	}
	p.terminal.note("found %s", o.line())
	return o.open(ctx, p)
}

// hostAndPort is a URL whose beginning was left out.
var hostAndPort = regexp.MustCompile(`^[^/]+:[0-9]{1,5}(/|$)`)

// isRoot reports whether an argument is the address of a conductor as a whole.
func isRoot(argument string) bool {
	if !fetch.IsURL(argument) {
		return false
	}
	argument, _, _ = strings.Cut(argument, "#")
	u, err := fetch.Parse(argument)
	return err == nil && (u.Path == "" || u.Path == "/" || u.Path == conduct.IndexPath)
}

// findAny shows what is shared on the network.
func (p *program) findAny(ctx context.Context, noInput bool) (source, error) {
	p.terminal.note("looking for what is shared on this network")
	offers, err := findOffers(ctx)
	if err != nil {
		return source{}, err
	}
	if len(offers) == 0 {
		return source{}, withCode(exitInput, errors.New("nobody shares anything on this network; "+
			"orchestra get URL gets what is shared elsewhere"))
	}
	return p.offer(ctx, offers, noInput)
}

// findAt shows what one conductor publishes.
func (p *program) findAt(ctx context.Context, address string, noInput bool) (source, error) {
	address, key, err := p.keyFor(address)
	if err != nil {
		return source{}, err
	}
	u, err := fetch.Parse(address)
	if err != nil {
		return source{}, withCode(exitNetwork, err)
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = "", "", "", ""
	offers, err := readIndex(ctx, u, key)
	var status *fetch.StatusError
	switch {
	case errors.As(err, &status) && status.Code == 404:
		return source{}, withCode(exitInput, fmt.Errorf("%s publishes nothing", fetch.Shown(u)))
	case err != nil:
		return source{}, fetchError(ctx, err)
	case len(offers) == 0:
		return source{}, withCode(exitInput, fmt.Errorf("%s publishes nothing", fetch.Shown(u)))
	case len(offers) == 1:
		return offers[0].open(ctx, p)
	}
	return p.offer(ctx, merged(offers), noInput)
}

// offer asks the user which of the offers to get, or, where nobody is to be asked, prints them.
func (p *program) offer(ctx context.Context, offers []offer, noInput bool) (source, error) {
	if p.common.json || noInput || p.terminal.isQuiet() ||
		!term.IsTerminal(int(p.stdin.Fd())) || !p.terminal.canDraw() {
		for i := range offers {
			o := &offers[i]
			if err := p.result(o.json(), o.line()+": "+fetch.ShownText(o.from[0].url)); err != nil {
				return source{}, err
			}
		}
		return source{}, nil
	}
	o, err := p.choose(ctx, offers)
	if err != nil {
		return source{}, err
	}
	return o.open(ctx, p)
}
