// Command registry is distribution's registry with what the tests need of it: files as storage, and access for everyone,
// by htpasswd or by token. It ends when its standard input does, so that none outlives the tests that started it, however
// those end.
package main

import (
	"io"
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	go endWithInput()
	if registry.RootCmd.Execute() != nil {
		os.Exit(1)
	}
}

func endWithInput() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}
