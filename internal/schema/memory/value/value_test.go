package value_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

func TestNumberOf(t *testing.T) {
	for text, want := range map[string]float64{
		"": 0, " 12\n": 12, "1e3": 1000, "-.5": -0.5, "+7": 7, "5.": 5, "0x1F": 31, "0b101": 5, "0O17": 15, "007": 7,
		"Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "1e999": math.Inf(1),
	} {
		if got := value.NumberOf(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"a", "1_000", "0x", "0x1p4", "0b2", "inf", "nan", "1e", "--1", "1 2", "infinity", "0x1.8", "\u0085" + "1"} {
		if got := value.NumberOf(text); !math.IsNaN(got) {
			t.Errorf("%q is %v, want NaN", text, got)
		}
	}
}

func TestFormatNumber(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1.5: "1.5", 100000: "100000", 1e21: "1e+21", 123456789012345680000: "123456789012345680000",
		1e-6: "0.000001", 1.5e-7: "1.5e-7", -0.1: "-0.1", math.Inf(-1): "-Infinity", math.Inf(1): "Infinity",
	} {
		if got := value.FormatNumber(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestItemsOfListsStayScalar(t *testing.T) {
	v, err := value.Decode([]byte(`{"list": [1, {"a": 2}]}`))
	if err != nil {
		t.Fatal(err)
	}
	list, err := value.Property(v, "list")
	if err != nil {
		t.Fatal(err)
	}
	for index, to := range map[string]value.Value{"0": list, "2": 5.0, "01": 5.0, "length": 0.0, "x": 1.0} {
		if err := value.SetProperty(list, index, to); err == nil {
			t.Errorf("item %s became %v", index, to)
		}
	}
	if err := value.SetProperty(list, "1", "text"); err != nil || value.ToString(list) != "1,text" {
		t.Errorf("got %s, %v", value.ToString(list), err)
	}
}

// What JSON says is what JSON says again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a": [1, 2.5, "x", null, true], "b": {"c": "\u00e9<>"}}`))
	f.Add([]byte(`[[[[]]]]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := value.Decode(text)
		if err != nil {
			if json.Valid(text) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again := value.ToJSON(v); len(again) < 1000 && !json.Valid([]byte(again)) {
			t.Errorf("%q becomes %q", text, again)
		}
		_ = value.ToString(v)
		_ = value.Format(v, 78)
	})
}
