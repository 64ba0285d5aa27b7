# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the cases of the chart share; after . "$TESTS/lib.sh".  $CHART is the chart.  A case is
# skipped where helm cannot be had: tools/get-helm.

need node npm
TOOLS=$("$TOP/tools/get-helm" 2>"$CASE_BASE/get-helm") || skip "$(tail -n 1 "$CASE_BASE/get-helm")"
PATH=$TOOLS/bin:$PATH
CHART=$TOP/chart
export CHART TOOLS PATH
# No cluster of the user's is looked at.
export KUBECONFIG=$CASE_BASE/kubeconfig HELM_CACHE_HOME=$CASE_BASE/helm HELM_CONFIG_HOME=$CASE_BASE/helm HELM_DATA_HOME=$CASE_BASE/helm

# check_objects [OPTION...] FILE...: an API server would take them (tests/k8s-check.mjs).
check_objects() {
	node "$TESTS/k8s-check.mjs" "$TOOLS" "$@" || fail "those objects would be refused"
}

# objects FILE: as one JSON array, once they are checked.
objects() {
	check_objects --json "$@"
}

# parent DIR [ALIAS]: a chart that has ours as a dependency.
parent() {
	mkdir -p "$1/charts" "$1/templates"
	cp -r "$CHART" "$1/charts/tarseal"
	cat >"$1/Chart.yaml" <<-CHART
		apiVersion: v2
		name: autolab
		version: 1.0.0
		dependencies:
		  - name: tarseal
		    version: 0.1.0
		    repository: ""
		${2:+    alias: $2}
	CHART
	echo 'ingress: {}' >"$1/values.yaml"
}

# same_keys: standard input with what differs from run to run made the same.
same_keys() {
	sed -E -e 's/^(  key: )[A-Za-z0-9+/=]{40,}$/\1PRIVATE/' -e 's/MCowBQYDK2VwAyEA[A-Za-z0-9+/=]+/PUBLIC/' \
	    -e 's/^( +)[0-9a-f]{64}$/\1KEY-ID/'
}

# cluster [OPTION...]: tests/fake-api, for the rest of the case.
cluster() {
	rm -f "$CASE_BASE/port"
	"$TESTS/fake-api" "$CASE_BASE/port" --config "$KUBECONFIG" "$@" 2>"$CASE_BASE/fake-api.log" &
	FAKE_API=$!
	trap 'kill "$FAKE_API" 2>/dev/null || :' EXIT
	for _ in {1..100}; do
		[ ! -e "$CASE_BASE/port" ] || return 0
		sleep 0.1
	done
	fail "fake-api did not start: $(cat "$CASE_BASE/fake-api.log")"
}

cluster_gone() {
	kill "$FAKE_API" 2>/dev/null || :
	wait "$FAKE_API" 2>/dev/null || :
}
