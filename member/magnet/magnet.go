// Package magnet gets the description of a composition of which only the ID is known: from whoever
// shares it, and gives its info dictionary away (BEP 9). It finds those by trackers and conductors,
// by addresses that it is given, and by what the peers tell of each other (BEP 11).
//
// Nobody is believed: what comes is the description if its SHA-1 is the ID. Whoever sends another
// one, or nothing, or slowly, costs himself alone: several are asked side by side, each for all of
// it, and those that failed are asked again later.
package magnet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"orchestra/member/tracker"
	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/mse"
)

// Config says what is sought, and where.
type Config struct {
	Magnet     *orch.Magnet
	Conductors []string // HOST:PORT, to ask beside the trackers of the link
	Peers      []string // HOST:PORT, the same beside its peers

	// Tell hears in a line how it goes, when that changes; nil: nobody does. It may hold what a
	// tracker wrote.
	Tell func(line string)
	Log  zerolog.Logger
}

// ErrNowhere tells that there is nobody to ask.
var ErrNowhere = fmt.Errorf("the magnet link names no tracker and no peer")

const (
	sessionsMost = 8 // peers that are asked side by side
	incomingMost = 8 // the same of those that come by themselves
	// encryptedSecond is how many of those a second may begin with an encrypted handshake, for
	// which this end computes.
	encryptedSecond = 32
	tellFirst       = time.Second
	tellAgain       = 5 * time.Second // after the first line, longer each time
	tellMost        = 5 * time.Minute
)

// seeker is one search.
type seeker struct {
	cfg    Config
	id     [20]byte
	self   proto.PeerID
	port   uint16 // on which it listens; 0: on none
	client tracker.Client
	asking chan struct{} // has room for as many trackers as are asked side by side

	encrypted *rate.Limiter // of encrypted handshakes that others begin

	work  sync.WaitGroup
	found chan []byte // the description, once
	pool  pool
}

// Fetch gets the description, with the trackers and web seeds of the link. It goes on until ctx
// ends. Errors are [ErrNowhere], that of ctx, and what is wrong with the description: it is what
// the ID stands for, so another one would not be found.
func Fetch(ctx context.Context, cfg Config) (*orch.File, error) {
	s := &seeker{
		cfg: cfg, id: cfg.Magnet.ID, found: make(chan []byte, 1),
		asking: make(chan struct{}, trackersAtOnce), pool: newPool(),
		encrypted: rate.NewLimiter(encryptedSecond, encryptedSecond),
	}
	var err error
	if s.self, err = proto.NewPeerID(rand.Reader); err != nil {
		return nil, err
	}
	urls := s.trackers()
	for _, at := range append(append([]string(nil), cfg.Peers...), cfg.Magnet.Peers...) {
		s.pool.add(at)
	}
	if len(urls) == 0 && len(s.pool.list) == 0 {
		return nil, ErrNowhere
	}
	info, err := s.seek(ctx, urls)
	if err != nil {
		return nil, err
	}
	f, err := orch.ParseInfo(info)
	if err == nil {
		err = f.WithHints(cfg.Magnet)
	}
	if err != nil {
		return nil, fmt.Errorf("what the magnet link stands for cannot be joined: %w", err)
	}
	return f, nil
}

// seek asks whoever is known until one gives the right dictionary. All that it started has ended
// when it returns.
func (s *seeker) seek(ctx context.Context, urls []string) ([]byte, error) {
	ctx, end := context.WithCancel(ctx)
	defer s.client.Close()
	defer s.work.Wait()
	defer end()
	s.listen(ctx)
	for _, address := range urls {
		s.work.Go(func() { s.announce(ctx, address) })
	}
	start := time.Now()
	tellAt, said, again := start.Add(tellFirst), "", tellAgain
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for c := s.pool.next(time.Now()); c != nil; c = s.pool.next(time.Now()) {
			s.work.Go(func() { s.visit(ctx, c) })
		}
		if now := time.Now(); !now.Before(tellAt) {
			if line := s.pool.line(); line != said && s.cfg.Tell != nil {
				said = line
				s.cfg.Tell(line)
			}
			tellAt, again = now.Add(again), min(2*again, tellMost)
		}
		timer.Reset(time.Until(s.pool.due(tellAt)))
		select {
		case info := <-s.found:
			return info, nil
		case <-s.pool.changed:
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// visit asks one that is known.
func (s *seeker) visit(ctx context.Context, c *candidate) {
	err := s.dial(ctx, c.at, false)
	if mayWantEncryption(err) && s.dial(ctx, c.at, true) == nil {
		err = nil
	}
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.Debug().Err(err).Str("addr", c.at).Msg("a peer does not give the description")
	}
	s.pool.ended(c, time.Now(), err)
}

// dial asks one at its address: by a second connection, where the first one turns out by chance to
// be of no use for an encrypted handshake.
func (s *seeker) dial(ctx context.Context, at string, encrypted bool) error {
	err := s.dialOnce(ctx, at, encrypted)
	if errors.Is(err, mse.ErrAgain) {
		return s.dialOnce(ctx, at, encrypted)
	}
	return err
}

func (s *seeker) dialOnce(ctx context.Context, at string, encrypted bool) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", at)
	if err != nil {
		return err
	}
	return s.converse(ctx, conn, encrypted)
}

// listen lets those in that were told of this search and dial it. Without, others are asked alone.
func (s *seeker) listen(ctx context.Context) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		s.cfg.Log.Debug().Err(err).Msg("nobody can come by himself to give the description")
		return
	}
	s.port = uint16(listener.Addr().(*net.TCPAddr).Port)
	context.AfterFunc(ctx, func() { listener.Close() })
	room := make(chan struct{}, incomingMost)
	s.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if ctx.Err() != nil {
				if err == nil {
					conn.Close()
				}
				return
			}
			if err != nil {
				select { // some descriptors will be given back
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				continue
			}
			select {
			case room <- struct{}{}:
				s.work.Go(func() {
					defer func() { <-room }()
					err := s.answer(ctx, conn)
					s.cfg.Log.Debug().Err(err).Stringer("addr", conn.RemoteAddr()).
						Msg("who came for the composition")
				})
			default:
				conn.Close()
			}
		}
	})
}

// deliver ends the search.
func (s *seeker) deliver(info []byte) {
	select {
	case s.found <- info:
	default:
	}
}
