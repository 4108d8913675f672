//go:build !race

package conduct

const underRace = false
