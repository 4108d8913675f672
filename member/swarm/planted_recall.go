//go:build planted_recall

package swarm

const planted = bugRecall
