# Certificates and kubeconfig files. New for each bed, valid for 30 days.
# shellcheck shell=bash

make_ca() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/ca.key"
  openssl req -x509 -new -key "$PKI/ca.key" -subj /CN=consul-deploy-testbed -days 30 -out "$PKI/ca.crt"
}

make_certificate() { # NAME SUBJECT [ALTERNATIVE NAMES]
  local usage
  usage=$(printf 'keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n%s' "${3:+subjectAltName=$3}")
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key"
  openssl req -new -key "$PKI/$1.key" -subj "$2" -out "$PKI/$1.csr"
  openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 30 \
    -out "$PKI/$1.crt" -extfile <(printf '%s\n' "$usage") 2>/dev/null
}

make_kubeconfig() { # CERTIFICATE FILE: everything inside, so that the file can be copied
  cat >"$2" <<X
apiVersion: v1
kind: Config
clusters:
- name: consul-deploy-testbed
  cluster: {server: "$API_URL", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$PKI/$1.crt"), client-key-data: $(base64 -w0 "$PKI/$1.key")}
contexts:
- name: consul-deploy-testbed
  context: {cluster: consul-deploy-testbed, user: $1}
current-context: consul-deploy-testbed
X
  chmod 600 "$2"
}

make_pki() {
  local i user
  make_ca
  make_certificate apiserver /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$CONTROL_IP,IP:$SERVICE_IP"
  make_certificate admin /O=system:masters/CN=admin
  make_certificate controller-manager /CN=system:kube-controller-manager
  make_certificate scheduler /CN=system:kube-scheduler
  make_certificate proxy /CN=system:kube-proxy
  make_certificate front-proxy /CN=front-proxy-client
  for i in $(seq "$NODES"); do
    make_certificate "n$i" "/O=system:nodes/CN=system:node:n$i" "DNS:n$i,IP:$(node_ip "$i")"
  done
  openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
  for user in controller-manager scheduler proxy $(seq -f n%g "$NODES"); do
    make_kubeconfig "$user" "$RUN/$user.kubeconfig"
  done
  make_kubeconfig admin "$KUBECONFIG_FILE"
}
