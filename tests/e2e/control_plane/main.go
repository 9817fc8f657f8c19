// Command control-plane is the control plane of a Kubernetes cluster as one program: its first argument says which of the
// servers it is, the rest of the command line is that server's own. A server ends when its standard input does, so that
// none outlives the tests that started it, however those end.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// servers are what the program can be. Each takes its command line from os.Args and ends the process.
var servers = map[string]func(){
	"etcd":           func() { etcdmain.Main(os.Args) },
	"kube-apiserver": func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
}

func main() {
	if len(os.Args) > 1 {
		if serve, found := servers[os.Args[1]]; found {
			os.Args = os.Args[1:]
			go endWithInput()
			serve()
			return
		}
	}
	names := make([]string, 0, len(servers))
	for name := range servers {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintln(os.Stderr, "usage: control-plane "+strings.Join(names, "|")+" [FLAG...]")
	os.Exit(2)
}

func endWithInput() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}
