package cli

import (
	"fmt"
	"os"
	"strings"
)

// leastToken is how long a page's token is at least: anybody who reaches the port may guess.
const leastToken = 16

// readToken reads the token of a page from a file; "" if there is no path.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot read what --page-token-file names: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s: a token has letters, digits and other visible ASCII characters only", path)
	}
	if len(token) < leastToken {
		return "", fmt.Errorf("%s: a token has %d characters at least (head -c 18 /dev/urandom | base64 makes one)", path, leastToken)
	}
	return token, nil
}
