package hosts

import "testing"

// A Pair is two hosts, here and there, with a link between them: one network.
type Pair struct{ *Lab }

// The hosts of a pair and their addresses.
const (
	Here, There               = "here", "there"
	HereAddress, ThereAddress = "10.99.0.1", "10.99.0.2"
)

// NewPair makes two hosts.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{NewLab(t, Here, There)}
	p.Do(`
ip -n @here link add veth type veth peer name veth netns @there
ip -n @here addr add ` + HereAddress + `/24 dev veth
ip -n @there addr add ` + ThereAddress + `/24 dev veth
ip -n @here link set veth up
ip -n @there link set veth up`)
	return p
}
