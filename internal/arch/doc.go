// Package arch holds tests on the module's own shape: which package may import
// which, package comments, names and sizes. There is nothing here to import.
//
// A failing rule is a question about a design, not about a test: when the answer
// is that the rule is wrong, change the table in rules_test.go and say why there.
package arch
