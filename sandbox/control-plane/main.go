// Command control-plane is a Kubernetes control plane in one file: it plays etcd, kube-apiserver,
// kube-controller-manager or kubectl, whichever name it is called by. The code of all four is upstream's.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // the API server reads time zones, which a bare machine may not have

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	switch role := filepath.Base(os.Args[0]); role {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kubectl":
		// As upstream's main: verbosity has to be known before the command is built, and errors are kubectl's to print.
		_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	default:
		fmt.Fprintf(os.Stderr, "control-plane: called as %q, but it plays etcd, kube-apiserver, "+
			"kube-controller-manager and kubectl only: call it by a link of one of these names\n", role)
		os.Exit(2)
	}
}
