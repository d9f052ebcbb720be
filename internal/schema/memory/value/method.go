package value

import (
	"slices"
	"strings"
)

// Methods of JavaScript's texts, lists and numbers.
var (
	textMethods   = []string{"endsWith", "includes", "indexOf", "startsWith", "toLowerCase", "toUpperCase", "trim"}
	listMethods   = []string{"includes", "indexOf"}
	otherOfTexts  = strings.Fields(`at charAt charCodeAt codePointAt concat isWellFormed lastIndexOf localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll search slice split substr substring toLocaleLowerCase toLocaleUpperCase toWellFormed trimEnd trimLeft trimRight trimStart anchor big blink bold fixed fontcolor fontsize italics link small strike sub sup`)
	otherOfLists  = strings.Fields(`at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach join keys lastIndexOf map pop push reduce reduceRight reverse shift slice some sort splice toReversed toSorted toSpliced unshift values with`)
	otherOfNumber = []string{"toExponential", "toFixed", "toPrecision"}
)

// HasMethod reports whether a value has a method of JavaScript that may be called.
func HasMethod(v Value, name string) bool {
	if IsNothing(v) {
		return false
	}
	if slices.Contains(safeMethods, name) {
		return true
	}
	switch v.(type) {
	case string:
		return slices.Contains(textMethods, name) || slices.Contains(otherOfTexts, name)
	case *Array:
		return slices.Contains(listMethods, name) || slices.Contains(otherOfLists, name)
	case float64:
		return slices.Contains(otherOfNumber, name)
	}
	return false
}
