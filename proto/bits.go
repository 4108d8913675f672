package proto

// bitsLen returns how many bytes a bitfield of so many parts has.
func bitsLen(parts int) int { return parts/8 + min(parts%8, 1) }

// CheckBits checks a bitfield for a composition of so many parts: its length,
// and that its spare bits are 0 (BEP 3).
func CheckBits(bits []byte, parts int) error {
	if want := bitsLen(parts); len(bits) != want {
		return malformed("a bitfield of %d bytes, expected %d for %d parts", len(bits), want, parts)
	}
	if used := parts % 8; used != 0 && bits[len(bits)-1]<<used != 0 {
		return malformed("a bitfield with bits set beyond its %d parts", parts)
	}
	return nil
}

// MaxFrame returns the limit a Reader should have for a composition of so many
// parts: room for a full Piece, any Extended message and the Bitfield, whatever
// is the largest.
func MaxFrame(parts int) int { return max(pieceHeader+MaxPiece, 1+bitsLen(parts)) }
