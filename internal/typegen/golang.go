package typegen

func golang(types []*typ, taken names, pkg string) ([]byte, error) { return nil, nil }
