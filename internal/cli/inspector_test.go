package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"orchestra/orch"
	"orchestra/proto"
)

// inspectTime is how long an inspector has.
const inspectTime = 4 * time.Second

// badClaim tells that a member gave something else than it claimed to have.
type badClaim struct{ part uint32 }

func (e badClaim) Error() string {
	return fmt.Sprintf("what it claims to have as part %d is not that", e.part)
}

// inspect connects to a member as any BitTorrent program may, asks it for some of the parts that it
// claims to have, and compares them. It returns how many it saw. Errors other than badClaim are of
// a member that went away, or had no time.
func inspect(
	address string, file *orch.File, content []byte, rng *rand.Rand,
) (seen int, err error) {
	conn, err := net.DialTimeout("tcp", address, inspectTime)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(inspectTime))
	hello := proto.Handshake{Protocol: proto.BitTorrent, ID: file.ID()}
	hello.SetFast()
	for i := range hello.PeerID {
		hello.PeerID[i] = byte(rng.Uint32())
	}
	b := proto.Append(hello.Append(nil), proto.HaveNone{})
	if _, err := conn.Write(proto.Append(b, proto.Interested{})); err != nil {
		return 0, err
	}
	if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
		return 0, err
	}
	in := proto.NewReader(conn, proto.MaxFrame(file.NumParts()), 16<<10)
	claimed, wanted := map[uint32]bool{}, map[uint32]int{} // blocks of parts
	for {
		msg, err := in.Next()
		if err != nil {
			return seen, err
		}
		switch msg := msg.(type) {
		case proto.HaveAll:
			for part := range uint32(file.NumParts()) {
				claimed[part] = true
			}
		case proto.Bitfield:
			for part := range uint32(file.NumParts()) {
				if msg.Bits[part/8]&(0x80>>(part%8)) != 0 {
					claimed[part] = true
				}
			}
		case proto.Have:
			claimed[msg.Part] = true
		case proto.Unchoke:
			if len(claimed) == 0 {
				return 0, nil
			}
			if err := askFor(conn, file, claimed, wanted, rng); err != nil {
				return seen, err
			}
		case proto.Piece:
			got, err := io.ReadAll(in)
			if err != nil {
				return seen, err
			}
			at := int64(msg.Part)*file.PartSize + int64(msg.Begin)
			if !claimed[msg.Part] || !bytes.Equal(got, content[at:at+int64(msg.Length)]) {
				return seen, badClaim{msg.Part}
			}
			if wanted[msg.Part]--; wanted[msg.Part] == 0 {
				delete(wanted, msg.Part)
				if seen++; len(wanted) == 0 {
					return seen, nil
				}
			}
		case proto.Reject, proto.Choke:
			return seen, errors.New("it has no time")
		}
	}
}

// inspectMost is how many parts an inspector asks for.
const inspectMost = 4

// askFor asks for the blocks of some of the parts that are claimed.
func askFor(
	conn net.Conn, file *orch.File, claimed map[uint32]bool, wanted map[uint32]int, rng *rand.Rand,
) error {
	var parts []uint32
	for part := range uint32(file.NumParts()) {
		if claimed[part] {
			parts = append(parts, part)
		}
	}
	rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	var b []byte
	for _, part := range parts[:min(len(parts), inspectMost)] {
		length := min(file.PartSize, file.Size-int64(part)*file.PartSize)
		for begin := int64(0); begin < length; begin += proto.Block {
			b = proto.Append(b, proto.Request{
				Part: part, Begin: uint32(begin), Length: uint32(min(proto.Block, length-begin)),
			})
			wanted[part]++
		}
	}
	_, err := conn.Write(b)
	return err
}
