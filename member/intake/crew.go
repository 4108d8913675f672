package intake

import (
	"context"
	"runtime"
	"sync"
)

// A crew is the workers of a pipe. They come when there is something to do and leave when there is
// nothing, so a pipe at rest costs none. Each pipe has its own: a disk that keeps its workers
// waiting keeps nobody else's.
type crew struct {
	mu    sync.Mutex
	ctx   context.Context // nil before begin, and after end
	pipe  *Pipe
	count int
	work  sync.WaitGroup
}

// begin lets workers come, also for what waits already.
func (c *crew) begin(ctx context.Context, p *Pipe) {
	c.mu.Lock()
	c.ctx, c.pipe = ctx, p
	waiting := len(p.streams)
	c.mu.Unlock()
	for range waiting {
		c.call()
	}
}

// end waits until all have left. None comes any more.
func (c *crew) end() {
	c.mu.Lock()
	c.ctx = nil
	c.mu.Unlock()
	c.work.Wait()
}

// call has one more worker come, unless there are as many as processors.
func (c *crew) call() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil || c.count >= runtime.GOMAXPROCS(0) {
		return
	}
	c.count++
	ctx := c.ctx
	c.work.Go(func() {
		for c.stays(ctx) {
			select {
			case s := <-c.pipe.streams:
				s.write(ctx)
			default: // another one has it
			}
		}
	})
}

// stays reports whether a worker has something to do. One for which that is not so is counted no
// more: whoever leaves something for a worker after this calls one.
func (c *crew) stays(ctx context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() == nil && len(c.pipe.streams) > 0 {
		return true
	}
	c.count--
	return false
}
