package secure

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The keys are those of RFC 8448, 3, which follow from the secrets of its connection, and the first
// record of the client's is its record of application data.
func TestTrafficKeys(t *testing.T) {
	client, err := newTraffic(unhex(t,
		"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "5b78923dee08579033e523d9"; hex.EncodeToString(client.iv[:]) != want {
		t.Errorf("the IV is %x, want %s", client.iv, want)
	}
	var content []byte
	for i := range byte(50) {
		content = append(content, i)
	}
	want := unhex(t, "1703030043"+
		"a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5"+
		"b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4")
	if got := client.seal(nil, kindContent, content); !bytes.Equal(got, want) {
		t.Errorf("the record is %x, want %x", got, want)
	}
}

// Of what TLS tells, the two secrets are kept that are wanted.
func TestSecrets(t *testing.T) {
	random := strings.Repeat("00", 32) + " "
	s := &secrets{}
	for _, line := range []string{
		"CLIENT_HANDSHAKE_TRAFFIC_SECRET " + random + "aaaa\n",
		"CLIENT_TRAFFIC_SECRET_0 " + random + "0102\n",
		"SERVER_TRAFFIC_SECRET_0 " + random + "0304\n",
	} {
		if n, err := s.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("%q: %d, %v", line, n, err)
		}
	}
	if !bytes.Equal(s.client, []byte{1, 2}) || !bytes.Equal(s.server, []byte{3, 4}) {
		t.Errorf("they are %x and %x", s.client, s.server)
	}
	for _, line := range []string{"", "CLIENT_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0 00 xx"} {
		if _, err := s.Write([]byte(line)); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}
