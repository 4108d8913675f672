// Package lan finds conductors on the private networks that this machine is on, and lets others
// there find one here: mDNS (RFC 6762) with DNS-SD (RFC 6763), the service _orchestra._tcp.
//
// What is announced is where a conductor listens and nothing else; what it has, it is asked itself.
// On each network only addresses of that network are told, and only those of that network are
// believed.
package lan

import (
	"net/netip"
	"time"
)

// The names of the service and of the list of all services, as they stand in messages.
const (
	serviceName = "_orchestra._tcp.local."
	listName    = "_services._dns-sd._udp.local."
)

const mdnsPort = 5353

var (
	group4 = netip.AddrPortFrom(netip.MustParseAddr("224.0.0.251"), mdnsPort)
	group6 = netip.AddrPortFrom(netip.MustParseAddr("ff02::fb"), mdnsPort)
)

// How long others may remember an answer: those that ask once, and those that listen always.
const (
	onceTTL   = 10 * time.Second
	memoryTTL = 2 * time.Minute
)

// mostMessage is how long a message of the network may be, in bytes.
const mostMessage = 9000
