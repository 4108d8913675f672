package member

import (
	"context"

	"golang.org/x/time/rate"

	"orchestra/proto"
)

// leastPortion is well above the header of a piece, in bytes.
const leastPortion = 256

// limiter allows so many bytes a second, as many as there come if it is not positive; nil: no limit. It lets a tenth of a second's worth pass at once, so that what is limited flows and
// does not come in bursts; links that wait take turns at that size.
func limiter(bytes int64) *rate.Limiter {
	if bytes <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytes), int(min(max(bytes/10, leastPortion), proto.MaxPiece)))
}

// portion is how many bytes may pass a limiter at once.
func portion(l *rate.Limiter) int {
	if l == nil {
		return proto.MaxPiece
	}
	return l.Burst()
}

// wait lets n bytes pass in their time.
func wait(ctx context.Context, l *rate.Limiter, n int) error {
	if l == nil {
		return nil
	}
	for n > 0 {
		k := min(n, l.Burst())
		if err := l.WaitN(ctx, k); err != nil {
			return err
		}
		n -= k
	}
	return nil
}
