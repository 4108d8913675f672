package member

import (
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// descriptorsAgain is how long nothing is said again of descriptors that are missing.
const descriptorsAgain = time.Hour

// A scarcity says that this process can open no more, but not each time that it is so.
type scarcity struct{ said atomic.Int64 }

// isOut reports whether err tells that no descriptor is left, and says so if that was not said for
// a long time. The member goes on: some will be given back.
func (m *Member) isOut(err error) bool { return m.scarcity.isOut(err, m.cfg.Log) }

func (s *scarcity) isOut(err error, log zerolog.Logger) bool {
	if !isOutOfDescriptors(err) {
		return false
	}
	now := time.Now().UnixNano()
	if said := s.said.Load(); said == 0 || now-said > int64(descriptorsAgain) {
		if s.said.CompareAndSwap(said, now) {
			log.Warn().Err(err).Msg("no connection can be opened, since this process has no file descriptors left; " +
				"it goes on with those it has (ulimit -n raises the limit)")
		}
	}
	return true
}
