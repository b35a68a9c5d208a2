# A container runtime of our own, and its images, in directories of our own: nothing of the host's
# is touched. Sourced by the tools after build.sh.
#
# The caller runs in a mount namespace of its own (own_namespace) and sets node_dir.

# Goes on in a mount namespace of its own whose mounts are shared with the pods in it; all of them
# are gone when the last process in it ends.
own_namespace() {
  [ "$(id -u)" = 0 ] || fail "run this as root: containers need it"
  [ -n "${CUBELET_NAMESPACE:-}" ] && return
  CUBELET_NAMESPACE=1 exec unshare --mount --propagation shared "$@"
}

# The containerd to use: CUBELET_TEST_CONTAINERD names the program of another one than the system's.
# Its folder comes first in PATH, for the ctr and the shim that belong to it, and the network plugins
# beside it are used when there are any.
containerd_program() { command -v "${CUBELET_TEST_CONTAINERD:-containerd}"; }

use_containerd() {
  [ -n "${CUBELET_TEST_CONTAINERD:-}" ] || return 0
  [ -x "$CUBELET_TEST_CONTAINERD" ] || fail "CUBELET_TEST_CONTAINERD: there is no program $CUBELET_TEST_CONTAINERD"
  PATH=$(dirname "$CUBELET_TEST_CONTAINERD"):$PATH
}

cni_directory() {
  local beside
  beside=$(dirname "$(containerd_program)")/../lib/cni
  if [ -x "$beside/bridge" ]; then realpath "$beside"; else echo /usr/lib/cni; fi
}

# The first number of containerd's version, "1" for "containerd github.com/... 1.6.20~ds1 ...".
containerd_major() {
  "$(containerd_program)" --version | awk '{sub(/^v/, "", $3); sub(/\..*/, "", $3); print $3}'
}

runtime_socket() { echo "$node_dir/run/containerd.sock"; }

# cgroup directories in every hierarchy the machine has.
cgroup_directories() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo /sys/fs/cgroup
  else
    find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d ! -name unified
  fi
}

# Makes the node's cgroup everywhere. On cgroup v2 it has the controllers that the root gives on,
# which are not all: systemd gives those that its units ask for.
make_cgroups() {
  local path
  for path in $(cgroup_directories); do
    [ ! -f "$path/cgroup.controllers" ] ||
      sed 's/[^ ]\+/+&/g' "$path/cgroup.controllers" > "$path/cgroup.subtree_control"
    mkdir -p "$path/$node_name"
  done
}

# What needs a kernel module, a place outside of node_dir or a service of its own is left out.
write_containerd_config() {
  local version=2
  [ "$(containerd_major)" -lt 2 ] || version=3
  cat > "$node_dir/containerd.toml" <<EOF
version = $version
root = "$node_dir/containerd"
state = "$node_dir/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$(runtime_socket)"
EOF
  "cri_settings_$version" >> "$node_dir/containerd.toml"
  write_network_config
}

# Of containerd 1.
cri_settings_2() {
  cat <<EOF
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "cubelet.test/pause:1"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${CUBELET_SNAPSHOTTER:-overlayfs}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$(cni_directory)"
    conf_dir = "$node_dir/cni"
EOF
}

# Of containerd 2.
cri_settings_3() {
  cat <<EOF
[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "${CUBELET_SNAPSHOTTER:-overlayfs}"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "cubelet.test/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["$(cni_directory)"]
    conf_dir = "$node_dir/cni"
EOF
}

write_network_config() {
  mkdir -p "$node_dir/cni"
  cat > "$node_dir/cni/10-cubelet.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "$node_name", "plugins": [
  {"type": "bridge", "bridge": "$bridge", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$node_dir/ipam", "ranges": [[{"subnet": "$pod_subnet"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "externalSetMarkChain": "KUBE-MARK-MASQ"}]}
EOF
  # Port mapping needs iptables, which a node may not have; pods get on without it.
  command -v iptables > /dev/null || sed -i 's/,$//; /portmap/d; s/"0.0.0.0\/0"}\]}}$/&]}/' "$node_dir/cni/10-cubelet.conflist"
}

# Images made on the spot, kept beside the build.
make_images() {
  local images=$repository/build/images work
  [ -f "$images/pause.tar" ] && [ -f "$images/busybox.tar" ] && return
  say "making the images"
  work=$(mktemp -d)
  mkdir -p "$images" "$work/pause" "$work/busybox/bin" "$work/busybox/tmp" "$work/busybox/etc"
  clang-19 -Os -static -s -o "$work/pause/pause" "$repository/tools/images/pause.c"
  "$repository/tools/images/make_image" cubelet.test/pause:1 "$work/pause" "$images/pause.tar" /pause
  cp /bin/busybox "$work/busybox/bin/busybox"
  for applet in $(/bin/busybox --list | grep -v '^busybox$'); do ln -s busybox "$work/busybox/bin/$applet"; done
  chmod 1777 "$work/busybox/tmp"
  echo 'root:x:0:0:root:/:/bin/sh' > "$work/busybox/etc/passwd"
  echo 'root:x:0:' > "$work/busybox/etc/group"
  "$repository/tools/images/make_image" cubelet.test/busybox:1 "$work/busybox" "$images/busybox.tar" sh
  rm -rf "$work"
}

start_containerd() {
  mkdir -p "$node_dir/run"
  use_containerd
  write_containerd_config
  "$(containerd_program)" --config "$node_dir/containerd.toml" >> "$node_dir/containerd.log" 2>&1 &
  containerd_pid=$!
  local i
  for i in $(seq 100); do
    ctr --address "$(runtime_socket)" version > /dev/null 2>&1 && break
    kill -0 $containerd_pid 2> /dev/null || fail "containerd ended: $(tail -n 3 "$node_dir/containerd.log")"
    sleep 0.1
  done
  [ "$i" -lt 100 ] || fail "containerd did not come up: see $node_dir/containerd.log"
}

load_images() {
  make_images
  local image
  for image in pause busybox; do
    ctr --address "$(runtime_socket)" --namespace k8s.io images import "$repository/build/images/$image.tar" > /dev/null
  done
}

stop_containerd() {
  [ -n "${containerd_pid:-}" ] || return 0
  kill "$containerd_pid" 2> /dev/null || true
  wait "$containerd_pid" 2> /dev/null || true
  containerd_pid=
}

# Ends whatever the pods of this node have left: after a clean stop there is nothing.
remove_remains() {
  local pid path
  pkill -KILL -f "containerd-shim.*$(runtime_socket)" 2> /dev/null || true
  # Deepest mounts first.
  awk -v dir="$node_dir/" 'index($5, dir) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r path; do
    umount -l "$path" 2> /dev/null || true
  done
  ip link delete "$bridge" 2> /dev/null || true
  # Where v2 is mounted beside v1, the runtime has made cgroups there, too.
  for path in $(cgroup_directories) /sys/fs/cgroup/unified; do
    find "$path/$node_name" -depth -type d -exec rmdir {} + 2> /dev/null || true
  done
}
