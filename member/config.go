// Package member gets the content of a composition from other members, checks it and shares it on.
//
// One loop (director.go) owns the state of the swarm, which is package swarm's; each link has a
// goroutine that reads and one that writes; workers hash and write to the disk. All of them report
// to the loop's inbox, and the loop never waits for any.
package member

import (
	"fmt"

	"github.com/rs/zerolog"

	"orchestra/member/store"
	"orchestra/orch"
	"orchestra/proto/secure"
)

// The ports that a member listens on if it is not told: the first free one.
const (
	firstPort = 10001
	lastPort  = 10020
)

// Config says what to get, where to, and from whom. The zero value of every field but File is the
// default.
type Config struct {
	File *orch.File
	Dir  string // the current folder; made if missing

	Listen string // ADDR:PORT, or :PORT; the first free port from 10001 to 10020, or any
	// HOST:PORT under which others reach this member, beside where the conductor sees it
	Advertise  string
	Conductors []string // HOST or HOST:PORT, instead of the file's; empty and not nil: none
	Peers      []string // HOST:PORT of members to dial at the start
	MaxPeers   int      // links at most; 0: the core's default

	Webseeds   []string // URLs of copies of the content, beside the file's: http, https or s3
	NoWebseeds bool     // the file's are not asked

	Name        string // shown to who asks the conductor; the host's name. UTF-8, 64 bytes of it
	Version     string // of the program, for a conductor's page; "": it does not tell
	AwaitCopies int    // Progress.Copies is wanted once so many members are complete; 0: never

	UploadLimit, DownloadLimit int64 // bytes a second, all links together; 0: none

	// Key is that of the private swarm in which the composition's members meet, as File says it
	// ([orch.File.Private]); nil: the swarm is open. Nothing is said to who does not have it.
	Key *secure.Key

	// content that is there is checked in full, whatever was known of it, before anybody is
	// connected to
	Check  bool
	Repair bool // bad parts of content that stands under its name are got anew, in place
	// if something else stands under the name, the content is got nevertheless; at the end that is
	// moved aside to NAME.old
	Replace bool

	// Sequential prefers the parts in the order of the content, for whoever reads it while it comes
	// ([Member.WriteContent]): within a window, so that the members still have different parts to
	// give to each other.
	Sequential bool

	// Records remember content that has its name, so that it can be shared the next time before it
	// is read again. Nil: it is checked at each start. That of unfinished content is always beside
	// it.
	Records *store.Records

	// NoTimes leaves files with the time at which they were written here, rather than the
	// composition's.
	NoTimes bool

	// Only and Except choose files of a folder ([store.Select]). Complete is then what is chosen.
	Only, Except []string
	// Files chooses files by their paths, beside Only.
	Files []string

	// OnComplete is called once, on a goroutine of its own, when every part is verified and the
	// content has its name: also if that was so from the start. Run waits for it, so it must end
	// when Run's context does. A member that is to share no more when it has the content ends that
	// context here.
	OnComplete func(path string)

	Log zerolog.Logger // the zero Logger is silent
}

// ListenError tells that the member could not listen.
type ListenError struct {
	Addr string
	Err  error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot listen on %s: %v", e.Addr, e.Err)
}

// Unwrap returns the system's error.
func (e *ListenError) Unwrap() error { return e.Err }

// KeyError tells that a private swarm's key is missing, is another one, or is given for an open
// swarm.
type KeyError struct {
	Want string // the ID of the key that File names; "": the swarm is open
	Got  *secure.Key
}

func (e *KeyError) Error() string {
	switch {
	case e.Want == "":
		return fmt.Sprintf("its swarm is open, and %v was given for it", e.Got)
	case e.Got == nil:
		return fmt.Sprintf("its swarm is private, and its key (ID %s) is missing", e.Want)
	}
	return fmt.Sprintf("its swarm is private, and has the key with the ID %s; given was %v", e.Want, e.Got)
}

// Progress is a snapshot of a running member.
type Progress struct {
	Parts, PartsDone int   // of those wanted; verified and stored
	Bytes, BytesDone int64 // of these
	Stored           int   // parts verified and stored, whether wanted or not
	// parts of those wanted that were known to be here at the start, without being read
	Resumed    int
	Downloaded int64 // payload bytes received in this run
	Uploaded   int64 // payload bytes sent in this run
	// payload bytes received for nothing: twice, bad, or of a run that its link did not live to end
	Wasted int64

	Checking bool
	// every part is verified, and the content has its name; no longer when a part is lost
	Complete bool
	Path     string // where the content is now
	BadParts []int  // of content that stands under its name and is not to be repaired
	Members  int    // links that are up
	Known    int    // members known
	// Unreachable tells that nobody was ever connected to and nobody opened a link, although
	// members are known and had time to: something is in the way, like a firewall.
	Unreachable bool
	// somebody opened a link to this member, or a conductor found that this is possible
	Dialled     bool
	Copies      int  // complete members, as a conductor told when they were AwaitCopies; 0 before
	ConductorUp bool // one of them at least
	// in words: the first one that is up, or else why the first one is not; may hold what a
	// conductor wrote
	Conductor string

	Origins []Origin // that may be asked: web servers that have the content

	// Waiting says in one line why nothing comes; empty while something does, and when nothing is
	// missing. It may hold what a peer or a conductor wrote.
	Waiting string
	// Paused says in one line why nothing is asked for: the disk is full. It is empty otherwise.
	Paused string
	// KnownComplete is how many of the members known have everything, as far as this member saw.
	KnownComplete int
}
