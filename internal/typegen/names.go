package typegen

import (
	"strconv"
	"strings"
	"unicode"
)

// names are those that are taken, each with the number to try next for another
// that wishes for it.
type names map[string]int

// unique gives a name that nobody has yet: the one wished for, or that with a
// number.
func (n names) unique(wish string) string {
	name := wish
	for next, taken := n[name]; taken; _, taken = n[name] {
		name = wish + strconv.Itoa(next)
		next++
		n[wish] = next
	}
	n[name] = 1
	return name
}

// plain spells the letters of Western European languages without accents.
var plain = strings.NewReplacer(
	"À", "A", "Á", "A", "Â", "A", "Ã", "A", "Ä", "A", "Å", "A", "Æ", "Ae", "Ç", "C", "È", "E", "É", "E", "Ê", "E", "Ë", "E",
	"Ì", "I", "Í", "I", "Î", "I", "Ï", "I", "Ð", "D", "Ñ", "N", "Ò", "O", "Ó", "O", "Ô", "O", "Õ", "O", "Ö", "O", "Ø", "O",
	"Ù", "U", "Ú", "U", "Û", "U", "Ü", "U", "Ý", "Y", "Þ", "Th", "ß", "ss",
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "æ", "ae", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ð", "d", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ý", "y", "þ", "th", "ÿ", "y",
)

// safeName makes a name for a type as the official tool does: what can be no
// part of an identifier separates words, words begin with a capital letter, and
// so does what follows a digit. my_name is MyName, MY_NAME stays.
func safeName(text string) string {
	var out strings.Builder
	upper := true
	letters := []rune(plain.Replace(text))
	for i, c := range letters {
		lower := i+1 < len(letters) && 'a' <= letters[i+1] && letters[i+1] <= 'z'
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			if upper {
				c = unicode.ToUpper(c)
			}
			out.WriteRune(c)
			upper = false
		case c == '_':
			if !lower || i == 0 {
				out.WriteRune(c)
			}
			upper = lower
		case c == '$', '0' <= c && c <= '9' && out.Len() > 0:
			out.WriteRune(c)
			upper = true
		default:
			upper = true
		}
	}
	if out.Len() == 0 {
		return "NoName"
	}
	return out.String()
}
