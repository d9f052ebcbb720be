package memory

import (
	"math"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// Numbers that differ by less count as equal.
const (
	relativeTolerance = 1e-12
	absoluteTolerance = 1e-15
	// toleranceDigits are the decimals of relativeTolerance.
	toleranceDigits = 12
	maxDecimals     = 15
)

func nearlyEqual(a, b float64) bool {
	if math.IsInf(a, 0) || math.IsInf(b, 0) || a == b {
		return a == b
	}
	return math.Abs(a-b) <= max(relativeTolerance*max(math.Abs(a), math.Abs(b)), absoluteTolerance)
}

func isInteger(n float64) bool { return n == math.Trunc(n) && !math.IsInf(n, 0) }

// power is JavaScript's, where Go's differs.
func power(x, y float64) (value.Value, error) {
	if !isInteger(y) && x < 0 && !(x*x < 1 && math.IsInf(y, 1)) && !(x*x > 1 && math.IsInf(y, -1)) {
		return nil, value.Failure("Calculated memory value is not a valid number: a negative number has no real power " + value.FormatNumber(y) + ".")
	}
	switch {
	case math.IsNaN(x) && math.IsInf(y, 1):
		return y, nil // by way of complex numbers
	case math.IsNaN(y), (x == 1 || x == -1) && math.IsInf(y, 0):
		return math.NaN(), nil
	case x*x < 1 && math.IsInf(y, 1), x*x > 1 && math.IsInf(y, -1):
		return 0.0, nil
	}
	return math.Pow(x, y), nil
}

// whole rounds to a whole number with do, unless the number is that close to
// another one that only calculating can have made the difference.
func whole(x float64, do func(float64) float64) float64 {
	exact, nearest := do(x), roundHalf(x)
	if exact != nearest && nearlyEqual(x, nearest) && !nearlyEqual(x, exact) {
		return nearest
	}
	return exact
}

func floor(n []float64) (value.Value, error) { return rounded("floor", "0 - 15", n, math.Floor) }
func ceil(n []float64) (value.Value, error)  { return rounded("ceil", "0-15", n, math.Ceil) }

// rounded gives n[0], rounded to n[1] decimals where that is given.
func rounded(name, bounds string, n []float64, do func(float64) float64) (value.Value, error) {
	if len(n) == 1 {
		return whole(n[0], do), nil
	}
	switch decimals := n[1]; {
	case !isInteger(decimals):
		return nil, value.Failure("number of decimals in function " + name + " must be an integer")
	case decimals < 0 || decimals > maxDecimals:
		return nil, value.Failure("number of decimals in " + name + " number must be in range " + bounds)
	}
	shift := math.Pow(10, n[1])
	return whole(n[0]*shift, do) / shift, nil
}

func fix(n []float64) (value.Value, error) {
	if n[0] > 0 {
		return floor(n)
	}
	return ceil(n)
}

func round(n []float64) (value.Value, error) {
	if len(n) == 1 {
		return roundHalf(n[0]), nil
	}
	x, decimals := n[0], n[1]
	if decimals < toleranceDigits || math.IsNaN(decimals) {
		x = withoutNoise(x)
	}
	if !isInteger(decimals) || decimals < 0 || decimals > maxDecimals {
		return nil, value.Failure("Number of decimals in function round must be an integer from 0 to 15 inclusive")
	}
	return toDecimals(x, int(decimals)), nil
}

func roundHalf(x float64) float64 { return toDecimals(withoutNoise(x), 0) }

// withoutNoise takes away what is beyond the tolerance.
func withoutNoise(x float64) float64 {
	if plain := toDecimals(x, toleranceDigits); nearlyEqual(x, plain) {
		return plain
	}
	return x
}

// toDecimals rounds the number as it is written, halves away from zero.
func toDecimals(x float64, decimals int) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	mantissa, exponentText, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'e', -1, 64), "e")
	exponent, err := strconv.Atoi(exponentText)
	if err != nil {
		return x
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	keep := exponent + 1 + decimals // how many digits stay
	if keep >= len(digits) {
		return x
	}
	up := keep >= 0 && digits[keep] >= '5'
	kept := "0"
	if keep > 0 {
		kept = digits[:keep]
	}
	n, err := strconv.ParseUint(kept, 10, 64)
	if err != nil {
		return x
	}
	if up {
		n++
	}
	result, err := strconv.ParseFloat(strconv.FormatUint(n, 10)+"e"+strconv.Itoa(-decimals), 64)
	if err != nil {
		return x
	}
	return math.Copysign(result, x)
}
