package swarm

// Bugs that are put in on purpose where a build tag asks for one, to see whether the simulated
// swarms with faults find it. Without one of the tags, no code comes of it.
type bug int

const (
	noBug     bug = iota
	bugRecall     // planted_recall: a recall that is not answered is waited for without end
	bugSlot       // planted_slot: who leaves takes the slots of its grants along
	bugHave       // planted_have: what a peer gains is forgotten while it is put off
)
