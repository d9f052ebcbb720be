// Package format judges texts and numbers by the formats of JSON Schema, as
// ajv-formats does in its full mode.
package format

import (
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
)

// Text gives the test for texts of a format, nil when every text passes because
// the format is for numbers, is met by all or is not known. Except where a
// comment says otherwise a format follows the standard it is named after.
func Text(name string) func(string) bool { return texts[name] }

// Number gives the test for numbers of a format, nil when every number passes.
func Number(name string) func(float64) bool { return numbers[name] }

var (
	texts = map[string]func(string) bool{
		"date":          isDate,
		"time":          func(s string) bool { return isTime(s, true) },
		"date-time":     func(s string) bool { return isDateTime(s, true) },
		"iso-time":      func(s string) bool { return isTime(s, false) },
		"iso-date-time": func(s string) bool { return isDateTime(s, false) },
		"duration":      isDuration,
		"uri":           func(s string) bool { return strings.ContainsAny(s, "/:") && isURI(s) },
		"uri-reference": matches(uriPattern(false)),
		"uri-template":  matches(uriTemplate),
		"url":           isURL,
		"email":         matches(`^` + atom + `(?:\.` + atom + `)*@(?:` + label + `\.)+` + label + `$`),
		"hostname":      isHostname,
		"ipv4":          isIPv4,
		"ipv6":          isIPv6,
		"regex":         isRegexp,
		"uuid":          matches(`^(?i:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
		"json-pointer":  matches(`^` + pointer + `$`),
		"json-pointer-uri-fragment": matches(
			`^#(?:/(?:[a-z0-9_\-.!$&'()*+,;:=@]|%[0-9a-f]{2}|~0|~1)*)*$`),
		"relative-json-pointer": matches(`^(?:0|[1-9][0-9]*)(?:#|` + pointer + `)$`),
		"byte":                  isBase64,
	}
	numbers = map[string]func(float64) bool{
		"int32": func(f float64) bool { return f == math.Trunc(f) && f >= math.MinInt32 && f <= math.MaxInt32 },
		"int64": func(f float64) bool { return f == math.Trunc(f) && !math.IsInf(f, 0) },
	}
)

var isURI = matches(uriPattern(true))

// matches compiles an expression when it is first needed: most programs never
// judge most formats.
//
// The classes a-z and a-f stand for both cases of these letters. The flag i is
// not used for it because it adds two letters outside of ASCII, which JavaScript
// does not.
func matches(pattern string) func(string) bool {
	re := lazily(bothCases.Replace(pattern))
	return func(s string) bool { return re().MatchString(s) }
}

var bothCases = strings.NewReplacer("a-z", "A-Za-z", "a-f", "A-Fa-f")

// lazily compiles an expression when it is first asked for.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

const (
	atom    = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
	label   = `[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`
	pointer = `(?:/(?:[^~/]|~0|~1)*)*`

	uriTemplate = `^(?:[^\x00-\x20"'<>%\\^` + "`" + `{|}]|%[0-9a-f]{2}|\{[+#./;?&=,!@|]?` + variable + `(?:,` + variable + `)*\})*$`
	variable    = `(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\*)?`
)

// uriPattern is the grammar of RFC 3986, with quotation marks allowed in names
// and paths.
func uriPattern(absolute bool) string {
	const (
		escaped  = `%[0-9a-f]{2}`
		octet    = `(?:25[0-5]|2[0-4]\d|[01]?\d\d?)`
		dotted   = `(?:` + octet + `\.){3}` + octet
		hex      = `[0-9a-f]{1,4}`
		last     = `(?:` + hex + `:` + hex + `|` + dotted + `)`
		future   = `[vV][0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+`
		userInfo = `(?:[a-z0-9\-._~!$&'()*+,;=:]|` + escaped + `)*`
		name     = `(?:[a-z0-9\-._~!$&'"()*+,;=]|` + escaped + `)*`
		char     = `(?:[a-z0-9\-._~!$&'"()*+,;=:@]|` + escaped + `)`
		rest     = `(?:/` + char + `*)*`
		query    = `(?:[a-z0-9\-._~!$&'"()*+,;=:@/?]|` + escaped + `)*`
	)
	// before gives up to n groups that may stand before a double colon.
	before := func(n int) string {
		if n == 0 {
			return `(?:` + hex + `)?`
		}
		return `(?:(?:` + hex + `:){0,` + strconv.Itoa(n) + `}` + hex + `)?`
	}
	six := []string{`(?:` + hex + `:){6}` + last, `::(?:` + hex + `:){5}` + last}
	for n := range 4 {
		six = append(six, before(n)+`::(?:`+hex+`:){`+strconv.Itoa(4-n)+`}`+last)
	}
	six = append(six, before(4)+`::`+last, before(5)+`::`+hex, before(6)+`::`)
	host := `(?:\[(?:` + strings.Join(six, "|") + `|` + future + `)\]|` + dotted + `|` + name + `)`
	authority := `(?:` + userInfo + `@)?` + host + `(?::\d*)?`
	// A single slash before the authority is let through as well.
	path := `(?:/?/` + authority + rest + `|/(?:` + char + `+` + rest + `)?|` + char + `+` + rest + `)`
	scheme := `(?:[a-z][a-z0-9+\-.]*:)`
	if !absolute {
		scheme, path = scheme+"?", path+"?"
	}
	return `^` + scheme + path + `(?:\?` + query + `)?(?:#` + query + `)?$`
}

var dateParts = lazily(`^(\d\d\d\d)-(\d\d)-(\d\d)$`)

func isDate(s string) bool {
	parts := dateParts().FindStringSubmatch(s)
	if parts == nil {
		return false
	}
	year, month, day := toInt(parts[1]), toInt(parts[2]), toInt(parts[3])
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days++
	}
	return day <= days
}

func toInt(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

var timeParts = lazily(`^(\d\d):(\d\d):(\d\d(?:\.\d+)?)((?i:z)|([+-])(\d\d)(?::?(\d\d))?)?$`)

func isTime(s string, zoned bool) bool {
	parts := timeParts().FindStringSubmatch(s)
	if parts == nil {
		return false
	}
	hour, minute := toInt(parts[1]), toInt(parts[2])
	second, _ := strconv.ParseFloat(parts[3], 64)
	zoneHour, zoneMinute := toInt(parts[6]), toInt(parts[7])
	if zoneHour > 23 || zoneMinute > 59 || zoned && parts[4] == "" {
		return false
	}
	if hour <= 23 && minute <= 59 && second < 60 {
		return true
	}
	// A leap second is the last of a day in UTC.
	if parts[5] == "-" {
		zoneHour, zoneMinute = -zoneHour, -zoneMinute
	}
	minute -= zoneMinute
	hour -= zoneHour
	if minute < 0 {
		hour--
	}
	return (hour == 23 || hour == -1) && (minute == 59 || minute == -1) && second < 61
}

// isDateTime wants just one T or blank, between the date and the time.
func isDateTime(s string, zoned bool) bool {
	at := strings.IndexFunc(s, isTimeMark)
	if at < 0 {
		return false
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	date, time := s[:at], s[at+size:]
	return !strings.ContainsFunc(time, isTimeMark) && isDate(date) && isTime(time, zoned)
}

func isTimeMark(r rune) bool { return r == 't' || r == 'T' || isSpace(r) }

// isSpace is JavaScript's \s.
func isSpace(r rune) bool { return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r) }

var durationParts = lazily(`^P(?:(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?|(?:\d+W)?)$`)

func isDuration(s string) bool {
	return durationParts().MatchString(s) && s != "P" && !strings.HasSuffix(s, "T")
}

var isLabel = matches(`^` + label + `$`)

func isHostname(s string) bool {
	name := strings.TrimSuffix(s, ".")
	if len(name) > 253 {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if len(part) > 63 || !isLabel(part) {
			return false
		}
	}
	return true
}

func isIPv4(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is4()
}

func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6() && addr.Zone() == ""
}

var otherEnd = lazily(`(?s)[^\\]\\Z`)

// isRegexp refuses the end anchor of other languages, then everything that is
// no regular expression without the u flag.
func isRegexp(s string) bool {
	if otherEnd().MatchString(s) {
		return false
	}
	_, err := ecma.Compile(s)
	return err == nil
}

var (
	base64Line = lazily(`(?m)^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`)
	lineEnds   = strings.NewReplacer("\r", "\n", "\u2028", "\n", "\u2029", "\n")
)

// isBase64 is satisfied when one line is base64.
func isBase64(s string) bool { return base64Line().MatchString(lineEnds.Replace(s)) }

var (
	urlStart = lazily(`^(?i:https?|ftp)://`)
	urlName  = lazily(`(?i)^` + urlLabel + `(?:\.` + urlLabel + `)*\.[a-z\x{a1}-\x{ffff}]{2,}` + urlEnd)
	urlIP    = lazily(`^(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])(?:\.(?:1?\d{1,2}|2[0-4]\d|25[0-5])){2}` +
		`\.(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-4])` + urlEnd)
	privateIP = lazily(`^(?:(?:10|127)(?:\.\d{1,3}){3}|(?:169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2})`)
)

const (
	urlLabel = `(?:[a-z0-9\x{a1}-\x{ffff}]+-)*[a-z0-9\x{a1}-\x{ffff}]+`
	urlEnd   = `(?::\d{2,5})?(?:/|$)`
)

// isURL is an address on the public web, or of a host by name.
func isURL(s string) bool {
	start := urlStart().FindString(s)
	if start == "" || strings.ContainsFunc(s, isSpace) {
		return false
	}
	// What is before an @ may be a user, and every @ may be the one meant; but
	// a user has a name.
	all := s[len(start):]
	for host, found := all, true; found; _, host, found = strings.Cut(host, "@") {
		if len(host) == len(all)-1 {
			continue
		}
		if urlName().MatchString(host) || urlIP().MatchString(host) && !privateIP().MatchString(host) {
			return true
		}
	}
	return false
}
