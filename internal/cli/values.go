package cli

import (
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"orchestra/conduct"
	"orchestra/orch"
)

var errEmpty = errors.New("the value is empty")

// into makes an option's setter from a parser and the place for its result.
func into[T any](dst *T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err != nil {
			return err
		}
		*dst = v
		return nil
	}
}

func parseText(s string) (string, error) {
	if s == "" {
		return "", errEmpty
	}
	return s, nil
}

// parseFreeText takes any text, the empty one too.
func parseFreeText(s string) (string, error) { return s, nil }

func parseSwitch(s string) (bool, error) {
	v, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", s)
	}
	return v, nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return 0, fmt.Errorf("%q is not a whole number from 1 on", s)
	}
	return n, nil
}

// parseRatio reads a positive number such as 1.5.
func parseRatio(s string) (float64, error) {
	r, err := strconv.ParseFloat(s, 64)
	if err != nil || !(r > 0) || math.IsInf(r, 0) {
		return 0, fmt.Errorf("%q is not a positive number such as 1.5", s)
	}
	return r, nil
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration such as 90s, 10m or 1h30m", s)
	}
	return d, nil
}

// parseSize reads a positive number of bytes: 65536, 64K, 64KiB, 1.5M, 2G. The letters are powers
// of 1,024; a fraction of a byte is left out.
func parseSize(s string) (int64, error) {
	bad := fmt.Errorf("%q is not a size such as 65536, 64K or 1.5M", s)
	digits := strings.TrimRight(s, "KMGTkmgtIiBb")
	var shift uint
	switch strings.ToUpper(s[len(digits):]) {
	case "", "B":
	case "K", "KB", "KIB":
		shift = 10
	case "M", "MB", "MIB":
		shift = 20
	case "G", "GB", "GIB":
		shift = 30
	case "T", "TB", "TIB":
		shift = 40
	default:
		return 0, bad
	}
	whole, fraction, has := strings.Cut(digits, ".")
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || n > math.MaxInt64>>shift || has && shift == 0 {
		return 0, bad
	}
	size := int64(n) << shift
	if has {
		const most = 9 // digits: more make no byte
		part, err := strconv.ParseUint(fraction, 10, 64)
		if err != nil || len(fraction) > most {
			return 0, bad
		}
		size += int64(float64(part) / math.Pow10(len(fraction)) * float64(int64(1)<<shift))
	}
	if size <= 0 {
		return 0, bad
	}
	return size, nil
}

// parseLimit reads a limit in bytes a second; 0 stands for none.
func parseLimit(s string) (int64, error) {
	if s == "0" || strings.EqualFold(s, "unlimited") {
		return 0, nil
	}
	n, err := parseSize(s)
	if err != nil {
		return 0, fmt.Errorf("%w, or unlimited", err)
	}
	return n, nil
}

// parsePartSize reads the size of a part, in bytes; 0 stands for auto.
func parsePartSize(s string) (int64, error) {
	if s == "auto" {
		return 0, nil
	}
	n, err := parseSize(s)
	if err != nil {
		return 0, fmt.Errorf("%w, or auto", err)
	}
	if n > orch.MaxPartSize {
		return 0, fmt.Errorf("%q is more than the largest part, %s", s, bytesText(orch.MaxPartSize))
	}
	return n, nil
}

func parseHash(s string) (orch.Hash, error) {
	switch strings.ToLower(s) {
	case "sha1", "sha-1":
		return orch.SHA1, nil
	case "sha256", "sha-256":
		return orch.SHA256, nil
	}
	return 0, fmt.Errorf("%q is neither sha1 nor sha256", s)
}

// oneOf makes a parser that takes one of the words.
func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%q is none of %s%s", s, strings.Join(words, ", "), didYouMean("", s, words))
		}
		return s, nil
	}
}

// parseListen reads an address to listen on: HOST:PORT, :PORT, PORT or HOST, which has the default
// port.
func parseListen(defaultPort int) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" {
			return "", errEmpty
		}
		if _, err := strconv.ParseUint(s, 10, 64); err == nil {
			s = ":" + s
		}
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			host, port = strings.Trim(s, "[]"), strconv.Itoa(defaultPort)
			if strings.Contains(host, ":") && net.ParseIP(host) == nil {
				return "", fmt.Errorf("%q is not an address such as :%d, 192.168.1.1:%d or [::1]:%d", s, defaultPort, defaultPort, defaultPort)
			}
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
			return "", fmt.Errorf("%q is not a port from 0 to 65535", port)
		}
		return net.JoinHostPort(host, port), nil
	}
}

// parseLabel reads what a member calls itself.
func parseLabel(s string) (string, error) {
	switch {
	case s == "":
		return "", errEmpty
	case !utf8.ValidString(s):
		return "", fmt.Errorf("%q is not UTF-8", s)
	case len(s) > conduct.MaxLabel:
		return "", fmt.Errorf("%q has %d bytes, %d are the most", s, len(s), conduct.MaxLabel)
	}
	return s, nil
}

// parseHostPort reads the address of somebody else: HOST:PORT, IPv6 in brackets.
func parseHostPort(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || portErr != nil || n == 0 {
		return "", fmt.Errorf("%q is not an address such as 192.168.1.1:10001 or [fe80::1]:10001", s)
	}
	return s, nil
}

// atMost makes a parser of counts with a limit.
func atMost(limit int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := parseCount(s)
		if err == nil && n > limit {
			err = fmt.Errorf("%d is more than %d", n, limit)
		}
		return n, err
	}
}
