package member

import (
	"context"

	"golang.org/x/time/rate"

	"orchestra/proto"
)

// limiter allows so many bytes a second, in portions as large as a message may carry.
func limiter(bytes int64) *rate.Limiter {
	if bytes == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytes), proto.MaxPiece)
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
