// Package orch reads and writes .orch files, the plain text that describes a
// composition: its name, its size, and the checksums of its parts.
// docs/orch-format.md specifies the format.
//
// The package works on readers and writers, and on the .orch file itself. It
// never opens the content that a file describes, and knows no network.
package orch

const (
	// DefaultPort is the conductor's port where an .orch file names none.
	DefaultPort = 9999
	// MaxPartSize is the largest part, in bytes.
	MaxPartSize = 256 << 20
	// MaxFileSize is the largest .orch file, in bytes.
	MaxFileSize = 512 << 20
	// MaxLines is the largest number of optional lines in an .orch file.
	MaxLines = 4 << 20
)

// File is what an .orch file says. One that came from Parse or Open is valid;
// one made by hand is valid if Validate says so. The methods other than
// Validate and the writers expect a valid one.
type File struct {
	// Conductor is line 1 as written; Conductors gives it with its port. NoConductor: there is
	// none.
	Conductor string
	// Name is the file's or folder's, one path component.
	Name string
	// Checksum is that of the whole content: 20 bytes of SHA-1 or 32 of
	// SHA-256. Nil: it is not known, and the parts have SHA-1 checksums.
	Checksum []byte
	// Size and PartSize are in bytes. The last part may be shorter.
	Size, PartSize int64
	// PartSums holds the parts' checksums one after the other, each of
	// Hash().Size() bytes.
	PartSums []byte
	// Lines are the optional lines in their order.
	Lines []Line
}

// Line is an optional line, "key: value".
type Line struct{ Key, Value string }

// The keys of optional lines that mean something here.
const (
	keyConductor = "conductor" // HOST:PORT of a further conductor
	keyFile      = "file"      // SIZE PATH of a file in a folder
	keyExec      = "exec"      // PATH of a file that is executable
	keyFolder    = "folder"    // PATH of an empty folder
	keyLink      = "link"      // PATH // TARGET of a symbolic link in a folder
	keyTime      = "time"      // when the file of the line above was modified last
	keyInfo      = "info"      // further keys of the info dictionary
	keyPrivate   = "!private"  // which key the members of a private swarm have
	keyPad       = "!pad"      // SIZE PATH of zeros between files, of which no file is made
	keyTracker   = "tracker"   // URL of a BitTorrent tracker; several are a tier
	keyWebseed   = "webseed"   // URL of a copy of the content
	keyComment   = "comment"   // text for people
)

// Hash tells which hash the checksums are of.
func (f *File) Hash() Hash {
	if len(f.Checksum) == SHA256.Size() {
		return SHA256
	}
	return SHA1
}

// NumParts is how many parts the content has, 0 if it is empty.
func (f *File) NumParts() int { return int(countParts(f.Size, f.PartSize)) }

// PartLen is the length of part i in bytes, counted from 0. It is PartSize
// for all parts but the last.
func (f *File) PartLen(i int) int64 {
	return min(f.PartSize, f.Size-int64(i)*f.PartSize)
}

// PartSum is the checksum of part i, counted from 0. It is a piece of
// PartSums, not a copy.
func (f *File) PartSum(i int) []byte {
	n := f.Hash().Size()
	return f.PartSums[i*n : (i+1)*n : (i+1)*n]
}

// countParts is size / partSize, rounded up.
func countParts(size, partSize int64) int64 {
	if partSize <= 0 || size <= 0 {
		return 0
	}
	return (size-1)/partSize + 1
}

// DefaultPartSize is the part size, in bytes, for a content of size bytes: the
// smallest power of two from 16 KiB up that gives at most 2,048 parts, but
// never more than 16 MiB.
func DefaultPartSize(size int64) int64 {
	partSize := int64(16 << 10)
	for partSize < 16<<20 && countParts(size, partSize) > 2048 {
		partSize *= 2
	}
	return partSize
}
