// Package bencode reads and writes the encoding of BEP 3: integers, byte
// strings, lists and dictionaries. It is strict: every value has exactly one
// encoding, so that what was decoded encodes to the same bytes, and an
// info-hash can be trusted to cover what was read. DecodeLoose alone takes more.
//
// It works on byte slices alone. It does no I/O and knows nothing of what the
// values mean.
//
// In Go the values are
//
//	integer      int64 (int is encoded as well)
//	byte string  string ([]byte is encoded as well)
//	list         []any
//	dictionary   map[string]any
package bencode

// MaxDepth is how deeply lists and dictionaries may be nested, the outermost
// counted as 1. It bounds the stack that a peer's bytes can make us use.
const MaxDepth = 64

// MaxMemory is about how much memory what is decoded may take beyond the bytes
// of its strings. Two bytes may stand for a dictionary, so without a bound it
// would be thirty times what was read.
const MaxMemory = 48 << 20

// Raw is one value that is already encoded. Append copies it as it is.
type Raw []byte
