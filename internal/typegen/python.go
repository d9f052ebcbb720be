package typegen

func python(types []*typ, taken names) []byte { return nil }
