package compose

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"orchestra/orch"
)

// The content goes through three kinds of goroutines:
//
//	reader ──┬─> whole        every block, in order: the checksum of the whole
//	         └─> part workers a unit each, in turn: the checksums of the parts
//
// The whole's checksum is one long chain and decides the speed, so nothing but
// the reader may come before it. A unit is what one worker hashes in order: as
// many whole parts as a block holds, or one larger part. A block goes back to
// the reader when both have done with it. There is a fixed number of blocks:
// memory does not depend on the size of a part.

// blockSize is how many bytes are read at once: enough that handing them on
// costs nothing beside hashing them, and little enough for the processor's
// cache.
const blockSize = 256 << 10

// maxWorkers bounds the part workers. More would wait for the whole's checksum.
const maxWorkers = 16

// block is a piece of the content on its way.
type block struct {
	buf    []byte
	data   []byte // buf up to what was read
	offset int64  // of data in the content
	users  atomic.Int32
}

type pipeline struct {
	content source
	file    *orch.File // its sums are filled in
	hash    orch.Hash
	unit    int64 // bytes that one worker hashes in order
	free    chan *block
	whole   chan *block
	workers []chan *block // none if the whole's checksum is the only part's
	done    atomic.Int64  // bytes in the whole's checksum
	known   int64         // up to where the parts' checksums are known without hashing
	zeros   map[int64][]byte
}

// hashContent reads the content and fills in f's checksums, which have their
// lengths already.
func hashContent(ctx context.Context, c source, f *orch.File, progress func(done, total int64)) error {
	p := newPipeline(c, f)
	result := make(chan error, 1)
	go func() { result <- p.run(ctx) }()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-result:
			return err
		case <-ticker.C:
			progress(p.done.Load(), f.Size)
		}
	}
}

func newPipeline(c source, f *orch.File) *pipeline {
	p := &pipeline{content: c, file: f, hash: f.Hash(), unit: f.PartSize, zeros: map[int64][]byte{}}
	if f.PartSize < blockSize {
		p.unit = blockSize / f.PartSize * f.PartSize
	}
	workers := 0
	if f.NumParts() > 1 {
		units := (f.Size-1)/p.unit + 1
		workers = int(min(units, int64(runtime.GOMAXPROCS(0)), maxWorkers))
	}
	blocks := 2*workers + 8
	p.free = make(chan *block, blocks)
	p.whole = make(chan *block, blocks)
	for range workers {
		p.workers = append(p.workers, make(chan *block, blocks))
	}
	for range blocks {
		p.free <- &block{}
	}
	return p
}

// run reads to the end and waits for the hashing of what was read.
func (p *pipeline) run(ctx context.Context) error {
	var hashing sync.WaitGroup
	hashing.Go(p.hashWhole)
	for _, in := range p.workers {
		hashing.Go(func() { p.hashParts(in) })
	}
	err := p.read(ctx)
	close(p.whole)
	for _, in := range p.workers {
		close(in)
	}
	hashing.Wait()
	if err == nil && len(p.workers) == 0 && p.file.NumParts() == 1 {
		copy(p.file.PartSums, p.file.Checksum)
	}
	return err
}

// read reads size bytes in blocks that end where a unit ends. No channel it
// sends to is ever full: there are not that many blocks.
func (p *pipeline) read(ctx context.Context) error {
	size := p.file.Size
	for offset := int64(0); offset < size; {
		var b *block
		select {
		case b = <-p.free:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b.offset = offset
		if err := p.fill(b, min(blockSize, size-offset, p.unit-offset%p.unit)); err != nil {
			return err
		}
		b.users.Store(1)
		if w := len(p.workers); w > 0 && offset >= p.known {
			b.users.Store(2)
			p.whole <- b
			p.workers[offset/p.unit%int64(w)] <- b
		} else {
			p.whole <- b
		}
		offset += int64(len(b.data))
	}
	return nil
}

// zeroBlock is what a block of a hole has.
var zeroBlock [blockSize]byte

// fill gives b the bytes that follow, n at most: fewer where the parts whose
// checksums are known end. What lies in a hole is not read.
func (p *pipeline) fill(b *block, n int64) error {
	hole, err := p.content.hole(p.file.Size - b.offset)
	if err != nil {
		return err
	}
	if b.offset >= p.known {
		p.know(b.offset, hole)
	}
	if b.offset < p.known {
		n = min(n, p.known-b.offset)
	}
	if hole >= n {
		b.data = zeroBlock[:n]
		return p.content.skip(n)
	}
	if b.buf == nil {
		b.buf = make([]byte, min(blockSize, p.file.Size))
	}
	b.data = b.buf[:n]
	return p.content.read(b.data)
}

// know fills in the checksums of the parts that are nothing but a hole, which
// begins at an offset of the content.
func (p *pipeline) know(at, hole int64) {
	if at%p.file.PartSize != 0 {
		return
	}
	for i := int(at / p.file.PartSize); i < p.file.NumParts() && p.file.PartLen(i) <= hole; i++ {
		n := p.file.PartLen(i)
		if p.zeros[n] == nil {
			p.zeros[n] = p.hash.SumOfZeros(n)
		}
		copy(p.file.PartSum(i), p.zeros[n])
		hole -= n
		p.known = int64(i)*p.file.PartSize + n
	}
}

// release gives a block back when nobody uses it any more.
func (p *pipeline) release(b *block) {
	if b.users.Add(-1) == 0 {
		p.free <- b
	}
}

func (p *pipeline) hashWhole() {
	h := p.hash.New()
	for b := range p.whole {
		h.Write(b.data)
		p.done.Add(int64(len(b.data)))
		p.release(b)
	}
	h.Sum(p.file.Checksum[:0])
}

// hashParts hashes the parts of the units it is given. A part's checksum has
// its own place, so workers need no lock between them.
func (p *pipeline) hashParts(in <-chan *block) {
	partSize := p.file.PartSize
	running := p.hash.New() // of the part that goes on in the next block
	for b := range in {
		data, at := b.data, b.offset
		for len(data) > 0 {
			i := int(at / partSize)
			start, end := int64(i)*partSize, int64(i)*partSize+p.file.PartLen(i)
			piece := data[:min(int64(len(data)), end-at)]
			data, at = data[len(piece):], at+int64(len(piece))
			sum := p.file.PartSum(i)[:0]
			if at == end && int64(len(piece)) == end-start {
				p.hash.AppendSum(sum, piece)
				continue
			}
			running.Write(piece)
			if at == end {
				running.Sum(sum)
				running.Reset()
			}
		}
		p.release(b)
	}
}
