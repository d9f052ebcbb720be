package main

import (
	"strings"
	"testing"
)

func TestSum(t *testing.T) {
	const events = `{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"b_test.go:1: wrong\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC","Output":"no engine\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`
	var out strings.Builder
	ok, err := sum(strings.NewReader(events), &out)
	if err != nil || ok {
		t.Errorf("ok %v, %v", ok, err)
	}
	const want = "b_test.go:1: wrong\nno engine\nFAIL\tp\t0.1s\n1 passed, 1 failed, 1 skipped\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	const panicked = `{"Action":"output","Package":"p","Test":"TestA","Output":"panic: no\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`
	if ok, err := sum(strings.NewReader(panicked), &out); err != nil || ok || !strings.Contains(out.String(), "panic: no\n0 passed, 1 failed") {
		t.Errorf("a panic: %v, %v, %q", ok, err, out.String())
	}
	out.Reset()
	if ok, err := sum(strings.NewReader(`{"Action":"pass","Package":"p","Test":"TestA"}`), &out); err != nil || !ok {
		t.Errorf("a passing test: %v, %v", ok, err)
	}
}
