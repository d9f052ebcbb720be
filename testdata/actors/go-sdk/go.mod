module example.com/go-sdk

go 1.26.0

require github.com/greenroom-dev/greenroom v0.0.0

require golang.org/x/sys v0.49.0 // indirect

replace github.com/greenroom-dev/greenroom => ../../..
