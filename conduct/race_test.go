//go:build race

package conduct

// underRace tells that the race detector takes several times the memory.
const underRace = true
