package input

import (
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// proxyURL is a proxy's address. The platform wants a dot in the host name; on
// one's own machine localhost and the names of containers are proxies too.
var proxyURL = regexp.MustCompile(`^(?:https?|socks(?:4a?|5h?)?)://(?:[^@]*@)?(?:\[[0-9a-fA-F:.]+\]|[^\s:/?#@.\[\]][^\s:/?#@\[\]]*):[0-9]+$`)

// checkProxy judges the value of a field with the proxy editor. Which groups the
// user has access to is the platform's knowledge and not judged here.
func checkProxy(at string, value *jsonc.Value, required bool) (texts []string) {
	if !jsvalue.Truthy(value) {
		if required && value.Kind != jsonc.Null {
			texts = append(texts, "Field "+at+" is required")
		}
		return texts
	}
	urls := value.Get("proxyUrls")
	hasURLs := urls.Is(jsonc.Array) && len(urls.Items) > 0
	usesApify := jsvalue.Truthy(value.Get("useApifyProxy"))
	if required && !usesApify && !hasURLs {
		return []string{"Field " + at + " is required. Please provide custom proxy URLs or use Apify Proxy."}
	}
	if hasURLs && !usesApify {
		for _, url := range urls.Items {
			text := strings.TrimSpace(url.Text)
			if url.Kind == jsonc.String && (text == "" || proxyURL.MatchString(text)) {
				continue
			}
			if url.Kind != jsonc.String {
				text = string(url.JSON())
			}
			texts = append(texts, `Proxy URL "`+text+`" has invalid format, it must be socks[4|4a|5|5h]|http[s]://[username[:password]]@hostname:port.`)
		}
	}
	if country := value.Get("apifyProxyCountry"); jsvalue.Truthy(country) {
		switch {
		case !usesApify:
			texts = append(texts, "The country for Apify Proxy can be specified only when using Apify Proxy.")
		case !isCountry(country.Text):
			texts = append(texts, `Country code "`+country.Text+`" is invalid. Only ISO 3166-1 alpha-2 country codes are supported.`)
		}
	}
	if groups := value.Get("apifyProxyGroups"); usesApify && jsvalue.Truthy(groups) && !areStrings(groups) {
		texts = append(texts, "Field "+at+".apifyProxyGroups must be an array of strings.")
	}
	return texts
}

func areStrings(v *jsonc.Value) bool {
	if v.Kind != jsonc.Array {
		return false
	}
	for _, item := range v.Items {
		if item.Kind != jsonc.String {
			return false
		}
	}
	return true
}

// countries are the ISO 3166-1 alpha-2 codes, and XK for Kosovo, which the
// platform takes too.
const countries = " AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ" +
	" CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR" +
	" GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP" +
	" KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ" +
	" NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW" +
	" SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ" +
	" UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "

func isCountry(code string) bool {
	return len(code) == 2 && strings.Contains(countries, " "+code+" ")
}
