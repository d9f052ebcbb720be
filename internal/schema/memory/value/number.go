package value

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Numbers with a radix: with a fraction, as in 0x1.8, and of a word's size, as in
// 0xffi8. The platform looks for them anywhere in what is to be a number.
var (
	radixFraction = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(0[box])([0-9a-fA-F]*)\.([0-9a-fA-F]*)`) })
	radixWord     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(0[box][0-9a-fA-F]*)i([0-9]*)`) })
)

// ParseNumber reads a number as expressions write it.
func ParseNumber(text string) (float64, error) {
	if text == "NaN" {
		return math.NaN(), nil
	}
	invalid := Failure(`String "` + text + `" is not a valid number`)
	if parts := radixFraction().FindStringSubmatch(text); parts != nil {
		radix := radixes[parts[1][1]]
		number, unit := wholeNumber(leadingDigits(parts[2], radix), radix), 1.0
		for _, c := range parts[3] {
			unit /= float64(radix)
			number += wholeNumber(string(c), radix) * unit
		}
		if math.IsNaN(number) {
			return 0, invalid
		}
		return number, nil
	}
	if parts := radixWord().FindStringSubmatch(text); parts != nil {
		return wordOf(parts[1], NumberOf(parts[2]))
	}
	number := NumberOf(text)
	if math.IsNaN(number) {
		return 0, invalid
	}
	return number, nil
}

// wordOf reads a number in two's complement.
func wordOf(text string, bits float64) (float64, error) {
	number := NumberOf(text)
	switch {
	case math.IsNaN(number):
		return 0, Failure(`String "` + text + `" is not a valid number`)
	case number > math.Exp2(bits)-1:
		return 0, Failure(`String "` + text + `" is out of range`)
	case number >= math.Exp2(bits-1):
		number -= math.Exp2(bits)
	}
	return number, nil
}

var radixes = map[byte]int{'b': 2, 'o': 8, 'x': 16}

func leadingDigits(text string, radix int) string {
	for i := range len(text) {
		if _, err := strconv.ParseUint(text[i:i+1], radix, 8); err != nil {
			return text[:i]
		}
	}
	return text
}

// NumberOf converts text to a number as JavaScript does, NaN when it is none.
func NumberOf(text string) float64 {
	text = strings.TrimFunc(text, func(c rune) bool { return unicode.IsSpace(c) && c != 0x85 || c == 0xFEFF })
	switch text {
	case "":
		return 0
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	if len(text) > 2 && text[0] == '0' && strings.Contains("boxBOX", text[1:2]) {
		if strings.Contains(text, "_") {
			return math.NaN()
		}
		return wholeNumber(text[2:], radixes[text[1]|0x20])
	}
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return math.NaN() // what Go reads besides: hexadecimal fractions, inf, _
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(number, 0) {
		return math.NaN()
	}
	return number
}

func wholeNumber(digits string, radix int) float64 {
	if len(digits) <= 12 {
		n, err := strconv.ParseUint(digits, radix, 64)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	}
	number := 0.0
	for _, c := range digits {
		digit, err := strconv.ParseUint(string(c), radix, 8)
		if err != nil {
			return math.NaN()
		}
		number = number*float64(radix) + float64(digit)
	}
	return number
}
