package member

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// leastPortion is well above the header of a piece, in bytes.
const leastPortion = 256

// evenPortion passes at once under any limit that is not far smaller, in bytes. It is short, so
// that no queue builds up in front of a line whose limit is a little below its rate: what this
// member asks for, announces and acknowledges would wait in it.
const evenPortion = 32 << 10

// limiter allows so many bytes a second, as many as there come if it is not positive; nil: no
// limit. It lets pass at once what takes 8 ms, which a timer keeps to, or evenPortion, but no more
// than takes a tenth of a second; links that wait take turns at that size.
func limiter(bytes int64) *rate.Limiter {
	if bytes <= 0 {
		return nil
	}
	burst := min(max(bytes/125, evenPortion), max(bytes/10, leastPortion), proto.MaxPiece)
	return rate.NewLimiter(rate.Limit(bytes), int(burst))
}

// portion is how many bytes may pass a limiter at once.
func portion(l *rate.Limiter) int {
	if l == nil {
		return proto.MaxPiece
	}
	return l.Burst()
}

// wait lets n bytes pass in their time. While it waits it calls held, every [swarm.ReportEvery] at
// least, and ends if that returns false.
func wait(ctx context.Context, l *rate.Limiter, n int, held func() bool) error {
	for l != nil && n > 0 {
		k := min(n, l.Burst())
		r := l.ReserveN(time.Now(), k)
		for delay := r.Delay(); delay > 0; delay = r.Delay() {
			if err := sleep(ctx, min(delay, swarm.ReportEvery)); err != nil {
				return err
			}
			if !held() {
				return ctx.Err()
			}
		}
		n -= k
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
