package store

import (
	"strconv"
	"strings"
)

// Ranges writes numbers in rising order shortly: 3, 7-9, ... with an end after the first twenty
// stretches.
func Ranges(numbers []int) string {
	const most = 20
	var b strings.Builder
	for i, stretches := 0, 0; i < len(numbers); stretches++ {
		if stretches > 0 {
			b.WriteString(", ")
		}
		if stretches == most {
			b.WriteString("...")
			break
		}
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		b.WriteString(strconv.Itoa(numbers[i]))
		if end > i {
			b.WriteString("-" + strconv.Itoa(numbers[end]))
		}
		i = end + 1
	}
	return b.String()
}
