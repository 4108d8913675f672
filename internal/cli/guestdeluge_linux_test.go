package cli

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const (
	delugePort     = 58846
	delugePassword = "interop"
)

var deluge = guestProgram{
	name:   "deluged",
	needs:  []debianProgram{{"deluged", "deluged"}},
	cannot: map[string]string{anEmptyFile.name: "it takes no torrent without content"},
	start: func(g *guest) {
		listen := "0.0.0.0"
		if g.s.network == byIPv6 {
			listen = "[::]" // it takes either, not both
		}
		policy, level := 1, 2 // encrypted or not, RC4 or plain thereafter
		if g.s.encrypted {
			policy, level = 0, 1
		}
		g.write("auth", "localclient:%s:10\n", delugePassword)
		g.write("core.conf", `{"file": 1, "format": 1}{
"dht": false, "lsd": false, "upnp": false, "natpmp": false, "new_release_check": false,
"random_port": false, "listen_ports": [6881, 6881], "daemon_port": %d, "download_location": %q,
"listen_interface": %q, "enc_in_policy": %d, "enc_out_policy": %[4]d, "enc_level": %d
}`, delugePort, g.dir, listen, policy, level)
		g.run("deluged", "--do-not-daemonize", "--config", g.home, "--loglevel", "error")
		g.tell(delugePort, g.tellDeluge)
	},
}

// tellDeluge has Deluge open the torrent. Its console takes longer to start than all the rest.
func (g *guest) tellDeluge(conn net.Conn) error {
	conn.SetDeadline(time.Now().Add(sceneTime))
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // it signs for itself
	login, version := []any{"localclient", delugePassword}, map[string]any{"client_version": "2.0.3"}
	if err := callDeluge(secure, "daemon.login", login, version); err != nil {
		return err
	}
	none := map[string]any{}
	if strings.HasPrefix(g.torrent, "magnet:") {
		return callDeluge(secure, "core.add_torrent_magnet", []any{g.torrent, none}, none)
	}
	torrent, err := os.ReadFile(g.torrent)
	if err != nil {
		return err
	}
	file := base64.StdEncoding.EncodeToString(torrent)
	return callDeluge(secure, "core.add_torrent_file", []any{"its.torrent", file, none}, none)
}

// callDeluge calls a method and waits until it returned.
func callDeluge(conn io.ReadWriter, method string, arguments []any, named map[string]any) error {
	var body bytes.Buffer
	packer := zlib.NewWriter(&body)
	_, _ = packer.Write(rencode(nil, []any{[]any{1, method, arguments, named}}))
	packer.Close()
	head := binary.BigEndian.AppendUint32([]byte{1}, uint32(body.Len()))
	if _, err := conn.Write(append(head, body.Bytes()...)); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	packed := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(conn, packed); err != nil {
		return err
	}
	unpacker, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(unpacker)
	if err == nil && !bytes.HasPrefix(answer, []byte{192 + 3, 1}) { // a list of three, first a 1
		err = fmt.Errorf("%s: deluged answers %q", method, answer)
	}
	return err
}

// rencode appends a short value as Deluge encodes it.
func rencode(b []byte, value any) []byte {
	switch v := value.(type) {
	case int:
		return append(b, byte(v))
	case string:
		if len(v) < 64 {
			return append(append(b, byte(128+len(v))), v...)
		}
		return fmt.Appendf(b, "%d:%s", len(v), v)
	case []any:
		b = append(b, byte(192+len(v)))
		for _, item := range v {
			b = rencode(b, item)
		}
	case map[string]any:
		b = append(b, byte(102+len(v)))
		for key, item := range v {
			b = rencode(rencode(b, key), item)
		}
	default:
		panic(fmt.Sprintf("%T is not encoded here", value))
	}
	return b
}
