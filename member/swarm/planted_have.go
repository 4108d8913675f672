//go:build planted_have

package swarm

const planted = bugHave
