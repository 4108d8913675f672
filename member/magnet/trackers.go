package magnet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"syscall"
	"time"

	"orchestra/member/tracker"
)

const (
	trackersAtOnce = 16
	// until one that did not answer is asked again; longer each time
	trackerFirst = 5 * time.Second
	trackerMost  = 5 * time.Minute
	trackerAgain = time.Minute      // until one that answered is, if it does not say
	trackerLeast = 10 * time.Second // at least
	trackerBye   = 2 * time.Second  // to say that the search is over
	// trackerByeMaybe is the same for one that did not answer so far.
	trackerByeMaybe = 500 * time.Millisecond
	trackerAsked    = 50 // peers that are asked for
	unknownLeft     = 1  // bytes: how many are missing is not known
)

// trackers are the URLs to ask: those of the link, and those of conductors, which are trackers too.
func (s *seeker) trackers() []string {
	var urls []string
	for _, c := range s.cfg.Conductors {
		urls = append(urls, "http://"+c+"/announce")
	}
	for _, u := range s.cfg.Magnet.Trackers {
		if !slices.Contains(urls, u) {
			urls = append(urls, u)
		}
	}
	return urls
}

// announce asks one tracker for peers until ctx ends, and then leaves it.
func (s *seeker) announce(ctx context.Context, address string) {
	a := tracker.Announcement{
		ID: s.id, PeerID: s.self, Port: max(s.port, 1), Key: rand.Uint32(), Event: tracker.Started,
		Want: trackerAsked, Left: unknownLeft,
	}
	bye := time.Duration(0) // how long it may take to leave; 0: it does not know of the search
	pause := trackerFirst
	for ctx.Err() == nil {
		answer, err := s.ask(ctx, address, a)
		wait := pause
		switch {
		case ctx.Err() != nil && err != nil:
			bye = max(bye, trackerByeMaybe)
		case err != nil:
			s.pool.says(hostOf(address), words(err))
			pause = min(2*pause, trackerMost)
			var refused *tracker.RefusedError
			if errors.As(err, &refused) {
				wait = max(wait, refused.After)
				if refused.After < 0 {
					wait = trackerMost // it says never; nothing is for ever
				}
			}
		default:
			bye, a.Event, a.TrackerID, pause = trackerBye, tracker.None, answer.TrackerID, trackerFirst
			s.pool.says(hostOf(address), "knows nobody else")
			for _, at := range answer.Peers {
				s.pool.add(at.String())
			}
			if wait = trackerAgain; answer.Least > 0 {
				wait = max(answer.Least, trackerLeast)
			}
		}
		s.pool.rouse()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	if bye > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bye)
		defer cancel()
		a.Event, a.Want = tracker.Stopped, 0
		_, _ = s.client.Announce(ctx, address, a) // it finds out by itself
	}
}

// ask announces the search when it is this tracker's turn.
func (s *seeker) ask(ctx context.Context, address string, a tracker.Announcement) (tracker.Answer, error) {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return tracker.Answer{}, ctx.Err()
	}
	return s.client.Announce(ctx, address, a)
}

// hostOf is where a tracker is: its URL has secrets of its users in it at times.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "of no address"
	}
	return u.Host
}

// words says why somebody cannot be asked.
func words(err error) string {
	var refused *tracker.RefusedError
	var name *net.DNSError
	var wait net.Error
	switch {
	case errors.As(err, &refused):
		return "cannot be used: " + refused.Error()
	case errors.As(err, &name) && name.IsNotFound:
		return "is unreachable: there is no host of this name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "is unreachable: nothing listens there"
	case errors.As(err, &wait) && wait.Timeout():
		return "does not answer"
	}
	return fmt.Sprintf("cannot be used: %v", err)
}
