package member

import (
	"sync/atomic"
	"time"
)

// descriptorsAgain is how long nothing is said again of descriptors that are missing.
const descriptorsAgain = time.Hour

// A scarcity says that this process can open no more, but not each time that it is so.
type scarcity struct{ said atomic.Int64 }

// isOut reports whether err tells that no descriptor is left, and says so if that was not said for
// a long time. The member goes on: some will be given back.
func (m *Member) isOut(err error) bool {
	if !isOutOfDescriptors(err) {
		return false
	}
	now := time.Now().UnixNano()
	if said := m.scarcity.said.Load(); said == 0 || now-said > int64(descriptorsAgain) {
		if m.scarcity.said.CompareAndSwap(said, now) {
			m.cfg.Log.Warn().Err(err).Msg("no connection can be opened, since this process has no file descriptors left; " +
				"it goes on with those it has (ulimit -n raises the limit)")
		}
	}
	return true
}
