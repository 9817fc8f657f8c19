// Command control-plane is a Kubernetes cluster as one program, with KWOK for its nodes and the parts of Argo CD that sync: its
// first argument, or the name by which it is called, says which of the servers it is, the rest of the command line is that
// server's own. A server ends when its standard input does, so that none outlives the tests that started it, however those end.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	appcontroller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	argolog "github.com/argoproj/argo-cd/v3/util/log"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/klog/v2"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

// servers are what the program can be. Each takes its command line from os.Args and ends the process.
var servers = map[string]func(){
	"etcd":                             func() { etcdmain.Main(os.Args) },
	"kube-apiserver":                   func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"kube-controller-manager":          func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"kube-scheduler":                   func() { os.Exit(cli.Run(scheduler.NewSchedulerCommand())) },
	"kwok":                             runKwok,
	"argocd-application-controller":    func() { runArgoCD(appcontroller.NewCommand()) },
	"argocd-applicationset-controller": func() { runArgoCD(applicationset.NewCommand()) },
	"argocd-repo-server":               func() { runArgoCD(reposerver.NewCommand()) },
}

// askPass is what Argo CD has Git call for a password. Git reads the answer, so it does not end with its standard input.
const askPass = "argocd-git-ask-pass"

func main() {
	if filepath.Base(os.Args[0]) == askPass {
		runArgoCD(askpass.NewCommand())
		return
	}
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

func runArgoCD(command *cobra.Command) {
	klog.SetLogger(argolog.NewLogrusLogger(argolog.NewWithCurrentConfig()))
	if command.Execute() != nil {
		os.Exit(1)
	}
}

// runKwok does what KWOK's own main function does, which is not a package.
func runKwok() {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, logger := kwoklog.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err == nil {
		command := kwok.NewCommand(ctx)
		// Kubernetes' packages define a flag --version for the whole process, and cobra would add another one.
		command.Version = ""
		command.PersistentFlags().AddFlagSet(flags)
		err = command.ExecuteContext(ctx)
	}
	if err != nil {
		logger.Error("kwok ended", "error", err)
		os.Exit(1)
	}
}
