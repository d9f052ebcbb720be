package jsonschema

var stringFormats = map[string]func(string) bool{}
var numberFormats = map[string]func(float64) bool{}
