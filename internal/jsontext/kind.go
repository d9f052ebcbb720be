package jsontext

// Kind names what a JSON text holds, as people say it: "an object", "a number".
func Kind(value []byte) string {
	i := 0
	for i < len(value) && kinds[value[i]]&space != 0 {
		i++
	}
	if i == len(value) {
		return "nothing"
	}
	switch value[i] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
