// Command argocd is the parts of an older Argo CD that sync, as control_plane has those of the newest: its first argument, or the
// name by which it is called, says which of the servers it is, the rest of the command line is that server's own. A server ends
// when its standard input does.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	appcontroller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	argolog "github.com/argoproj/argo-cd/v3/util/log"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

// servers are what the program can be. Each takes its command line from os.Args.
var servers = map[string]func() *cobra.Command{
	"argocd-application-controller":    appcontroller.NewCommand,
	"argocd-applicationset-controller": applicationset.NewCommand,
	"argocd-repo-server":               reposerver.NewCommand,
}

// askPass is what Argo CD has Git call for a password. Git reads the answer, so it does not end with its standard input.
const askPass = "argocd-git-ask-pass"

func main() {
	klog.SetLogger(argolog.NewLogrusLogger(argolog.NewWithCurrentConfig()))
	if filepath.Base(os.Args[0]) == askPass {
		run(askpass.NewCommand())
		return
	}
	if len(os.Args) > 1 {
		if command, found := servers[os.Args[1]]; found {
			os.Args = os.Args[1:]
			go endWithInput()
			run(command())
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: argocd argocd-application-controller|argocd-applicationset-controller|argocd-repo-server [FLAG...]")
	os.Exit(2)
}

func endWithInput() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

func run(command *cobra.Command) {
	if command.Execute() != nil {
		os.Exit(1)
	}
}
