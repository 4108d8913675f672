package secure

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"time"

	"orchestra/proto"
)

// An Identity is who somebody is among the holders of a key, for one run of a program: a key pair
// that was made for it, certified with the swarm's key, and the peer id that follows from it. So
// nobody can claim the peer id of another one, not even who has the swarm's key.
type Identity struct {
	key  *Key
	id   proto.PeerID
	cert tls.Certificate
}

// NewIdentity makes one up.
func (k *Key) NewIdentity() (*Identity, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	// It names nobody, and no clock is believed.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{}, public, k.signer)
	if err != nil {
		return nil, err
	}
	id, err := k.peerID(public)
	if err != nil {
		return nil, err
	}
	cert := tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: private}
	return &Identity{key: k, id: id, cert: cert}, nil
}

// Key is the swarm's.
func (i *Identity) Key() *Key { return i.key }

// PeerID is the peer id that the identity proves to have.
func (i *Identity) PeerID() proto.PeerID { return i.id }

// peerID makes the peer id of who has a key pair. Without the swarm's key it tells nothing of it.
func (k *Key) peerID(public ed25519.PublicKey) (proto.PeerID, error) {
	mac := hmac.New(sha256.New, k.peer)
	mac.Write(public)
	return proto.NewPeerID(bytes.NewReader(mac.Sum(nil)))
}

// PathOf makes a name out of one, for what is published: it tells nothing of it without the key.
func (k *Key) PathOf(name string) string {
	mac := hmac.New(sha256.New, k.path)
	mac.Write([]byte(name))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

var errStranger = errors.New("its certificate is not one of this swarm")

// certified returns the peer id of who showed certificates, if they are those of a holder of the
// key. TLS makes sure that it has the key pair.
func (k *Key) certified(shown []*x509.Certificate) (proto.PeerID, error) {
	if len(shown) != 1 || shown[0].SignatureAlgorithm != x509.PureEd25519 {
		return proto.PeerID{}, errStranger
	}
	public, ok := shown[0].PublicKey.(ed25519.PublicKey)
	swarm := k.signer.Public().(ed25519.PublicKey)
	if !ok || !ed25519.Verify(swarm, shown[0].RawTBSCertificate, shown[0].Signature) {
		return proto.PeerID{}, errStranger
	}
	return k.peerID(public)
}
