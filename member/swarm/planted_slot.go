//go:build planted_slot

package swarm

const planted = bugSlot
