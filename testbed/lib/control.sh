# The control plane: etcd, API server, controller manager, scheduler, in the namespace CONTROL_NS.
# shellcheck shell=bash

start_etcd() {
  local client=http://127.0.0.1:$ETCD_PORT peer=http://127.0.0.1:$((ETCD_PORT + 1))
  # No fsync: the data lives as long as the bed.
  # shellcheck disable=SC2046
  spawn etcd control $(in_control) "$BIN/etcd" --data-dir "$RUN/etcd" --unsafe-no-fsync \
    --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
}

start_apiserver() {
  # shellcheck disable=SC2046
  spawn apiserver control $(in_control) "$BIN/kube-apiserver" \
    --etcd-servers="http://127.0.0.1:$ETCD_PORT" \
    --bind-address="$ANY_IP" --secure-port="$API_PORT" --advertise-address="$CONTROL_IP" \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
    --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key" \
    --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-cluster-ip-range="$SERVICES" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --enable-aggregator-routing=true --requestheader-client-ca-file="$PKI/ca.crt" \
    --requestheader-allowed-names=front-proxy-client --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --requestheader-group-headers=X-Remote-Group --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key" \
    --profiling=false
}

start_controller_manager() {
  # The default limit of 20 requests a second doubles the time to the first pods.
  # shellcheck disable=SC2046
  spawn controller-manager control $(in_control) "$BIN/kube-controller-manager" \
    --kubeconfig="$RUN/controller-manager.kubeconfig" --leader-elect=false --use-service-account-credentials=true \
    --kube-api-qps=500 --kube-api-burst=1000 --service-account-private-key-file="$PKI/sa.key" \
    --root-ca-file="$PKI/ca.crt" --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --bind-address=127.0.0.1 --allocate-node-cidrs=false --node-monitor-period=2s --node-monitor-grace-period=12s
}

start_scheduler() {
  # shellcheck disable=SC2046
  spawn scheduler control $(in_control) "$BIN/kube-scheduler" \
    --kubeconfig="$RUN/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1
}

start_control_plane() {
  make_control_cgroups
  start_etcd
  start_apiserver
  start_controller_manager
  start_scheduler
}

kube() { "$BIN/kubectl" --kubeconfig "$KUBECONFIG_FILE" --request-timeout=10s "$@"; }

apiserver_ready() { timeout 5 "$BIN/kubectl" --kubeconfig "$KUBECONFIG_FILE" get --raw /readyz; }
wait_for_apiserver() { NEEDS=apiserver wait_for 'the API server to be ready' 60 "$LOGS/apiserver.log" apiserver_ready; }
