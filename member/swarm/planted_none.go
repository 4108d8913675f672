//go:build !planted_recall && !planted_slot && !planted_have

package swarm

const planted = noBug
