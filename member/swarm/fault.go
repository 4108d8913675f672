package swarm

// A Fault is why a member that is known is not linked to, as far as a dial told. Of several, the
// one that tells a user most is the greatest.
type Fault uint8

// What came of a dial.
const (
	NoFault       Fault = iota // it was not tried, or a link came of it
	OwnLimits                  // this process has no descriptor left: it says nothing of the member
	NoAnswer                   // nothing answers in time
	NoWay                      // the network has no way there
	NobodyListens              // the host is there and refuses connections
	Unclear                    // anything else
	Another                    // another member answers there
	HangsUp                    // it ends the connection before it says anything
	OtherContent               // it shares another composition
	// it does not have the key of this private swarm, or this is none of its
	OtherKey
	SomethingElse // what answers there is no member
	Web           // a web server answers
	Tracker       // a BitTorrent tracker answers
	Conducts      // a conductor answers
	Encrypted     // it speaks a protocol that is encrypted
)
