package bencode

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Encode returns the encoding of v, whose type is one of those that the
// package comment lists, or Raw.
func Encode(v any) ([]byte, error) { return Append(nil, v) }

// Append appends the encoding of v to b. The keys of dictionaries are written
// in order of their bytes. After an error b is returned as it was.
func Append(b []byte, v any) ([]byte, error) {
	out, err := appendValue(b, v, 0)
	if err != nil {
		return b, fmt.Errorf("bencode: %w", err)
	}
	return out, nil
}

// appendValue appends v, which lies inside depth lists and dictionaries.
func appendValue(b []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return AppendText(b, v), nil
	case []byte:
		return AppendText(b, v), nil
	case int:
		return AppendInteger(b, int64(v)), nil
	case int64:
		return AppendInteger(b, v), nil
	case Raw:
		if len(v) == 0 {
			return nil, errors.New("an empty Raw is no value")
		}
		return append(b, v...), nil
	case []any:
		if depth == MaxDepth {
			return nil, fmt.Errorf("nested more than %d deep", MaxDepth)
		}
		return appendList(b, v, depth+1)
	case map[string]any:
		if depth == MaxDepth {
			return nil, fmt.Errorf("nested more than %d deep", MaxDepth)
		}
		return appendDictionary(b, v, depth+1)
	default:
		return nil, fmt.Errorf("a %T cannot be encoded", v)
	}
}

// AppendInteger appends an integer to b.
func AppendInteger(b []byte, n int64) []byte {
	b = append(b, 'i')
	b = strconv.AppendInt(b, n, 10)
	return append(b, 'e')
}

// AppendText appends a byte string to b.
func AppendText[T string | []byte](b []byte, s T) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

func appendList(b []byte, list []any, depth int) ([]byte, error) {
	b = append(b, 'l')
	for i, v := range list {
		var err error
		if b, err = appendValue(b, v, depth); err != nil {
			return nil, fmt.Errorf("list item %d: %w", i, err)
		}
	}
	return append(b, 'e'), nil
}

func appendDictionary(b []byte, dict map[string]any, depth int) ([]byte, error) {
	keys := make([]string, 0, len(dict))
	for k := range dict {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, 'd')
	for _, k := range keys {
		b = AppendText(b, k)
		var err error
		if b, err = appendValue(b, dict[k], depth); err != nil {
			return nil, fmt.Errorf("key %.60q: %w", k, err)
		}
	}
	return append(b, 'e'), nil
}
