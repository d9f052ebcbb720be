package syntax

import "slices"

// Unknown gives the names that an expression uses and nothing gives a meaning
// to: neither known nor a name that the expression itself gives, wherever it does
// so. They are in the order of their first use.
func Unknown(root Node, known func(name string) bool) []string {
	var used []string
	own := make(map[string]bool)
	var visit func(n Node)
	visit = func(n Node) {
		switch n := n.(type) {
		case *Symbol:
			used = append(used, n.Name)
		case *Assignment:
			own[n.Name] = true
		case *Definition:
			own[n.Name] = true
			for _, param := range n.Params {
				own[param] = true
			}
		}
		for _, part := range parts(n) {
			visit(part)
		}
	}
	visit(root)
	var unknown []string
	for _, name := range used {
		if !own[name] && !known(name) && !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// parts gives the nodes directly below one.
func parts(n Node) []Node {
	switch n := n.(type) {
	case *Parenthesis:
		return []Node{n.Content}
	case *Operator:
		return n.Args
	case *Relation:
		return n.Operands
	case *Conditional:
		return []Node{n.Condition, n.Yes, n.No}
	case *Call:
		return append([]Node{n.Fn}, n.Args...)
	case *Accessor:
		return append([]Node{n.Object}, n.Index...)
	case *List:
		return n.Items
	case *ObjectLiteral:
		var values []Node
		for _, key := range n.Keys {
			values = append(values, n.Values[key])
		}
		return values
	case *Span:
		return n.Parts
	case *Assignment:
		return []Node{n.Value}
	case *PropertyAssignment:
		return []Node{n.Target, n.Value}
	case *Definition:
		return []Node{n.Body}
	case *Block:
		var statements []Node
		for _, s := range n.Statements {
			statements = append(statements, s.Node)
		}
		return statements
	}
	return nil
}
