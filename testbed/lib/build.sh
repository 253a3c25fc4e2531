# The build: programs from Go modules, two at a time, then images from programs.
# Each result is kept with a hash of all that went into it, and made again only if that changed.
# shellcheck shell=bash

# What is being made, and the temporary files of the compilers. A build that was killed leaves it to the next one.
BUILDING=$BED/building

hash_of() { sha256sum | cut -d ' ' -f 1; }

# fresh WHAT HASH RESULT: is the kept result of these very ingredients there?
fresh() { [ -e "$3" ] && [ "$(cat "$BED/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { echo "$2" >"$BED/stamps/$1"; }
fresh_program() { fresh "$1" "$(program_hash "$1")" "$BIN/$1"; }

# enough_memory GIB
enough_memory() {
  local available
  available=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  [ "$available" -ge "$1" ]
}
# For two programs at a time? Chosen with a margin, and not measured: the linker of Kubernetes and the compilers beside it.
memory_for_two() { enough_memory 6; }
# For compilers that never take memory back? Chosen with a margin, too: a compiler takes 1 GiB at most, a linker 3.
memory_to_waste() { enough_memory $((8 + 2 * $(nproc))); }

declare -A PID STARTED LASTED

# build_programs LANE...: what is not fresh of them. Programs of a lane are built one after the other, and lanes beside each
# other: while one downloads or links, which keeps one processor busy at most, the other compiles.
build_programs() {
  local queues=() now=() lane program names busy
  # shellcheck disable=SC2048
  for program in $*; do package_of "$program" >/dev/null || die "unknown program '$program'" "there are: $PROGRAMS $MORE_IMAGES $TOOLS"; done
  for lane in "$@"; do
    names=''
    for program in $lane; do fresh_program "$program" || names+=" $program"; done
    queues+=("$names")
  done
  if [ -z "${queues[*]// /}" ]; then return 0; fi
  if ! memory_for_two; then queues=("${queues[*]}"); fi
  rm -rf "$BUILDING"
  mkdir -p "$BUILDING"
  trap stop_builds EXIT
  # shellcheck disable=SC2086,SC2048
  start_progress ${queues[*]}
  while :; do
    busy=''
    for lane in "${!queues[@]}"; do
      program=${now[lane]:-}
      if [ "$program" ] && ! kill -0 "${PID[$program]}" 2>/dev/null; then
        end_build "$program"
        program=''
      fi
      if [ -z "$program" ]; then
        read -r program "queues[lane]" <<<"${queues[lane]} "
        now[lane]=$program
        if [ "$program" ]; then begin_build "$program"; fi
      fi
      busy+=$program
    done
    if [ -z "$busy" ]; then break; fi
    show_progress
    sleep 0.3
  done
  end_progress
  trap - EXIT
  rm -rf "$BUILDING"
}

begin_build() {
  STARTED[$1]=$SECONDS
  (go_build "$1") >"$BED/build-$1.log" 2>&1 </dev/null &
  PID[$1]=$!
  tell_progress
}

end_build() {
  local log=$BED/build-$1.log pid=${PID[$1]} status=0 cure='Go modules come from GOPROXY; is it reachable?'
  unset "PID[$1]"
  wait "$pid" || status=$?
  if [ "$status" != 0 ]; then
    erase_progress
    # Without the names of what went well.
    grep -vE '^([^ ]+|go: downloading .*)$' "$log" >"$log.end" || cp "$log" "$log.end"
    mv "$log.end" "$log"
    tail_of "$log" 20
    if grep -q 'signal: killed' "$log" || [ "$status" = 137 ]; then cure='something was killed: is there enough memory?'; fi
    die "could not build $1" "$cure"
  fi
  LASTED[$1]=$((SECONDS - STARTED[$1]))
  # Renamed into place: a running cluster keeps the file it has open.
  mv -f "$BUILDING/$1" "$BIN/$1"
  stamp "$1" "$(program_hash "$1")"
}

stop_builds() {
  local pid
  for pid in "${PID[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true; done
  erase_progress
  rm -rf "$BUILDING" || true
}

# Kubernetes is one program, which does what its name says.
link_kubernetes() {
  local name
  for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet; do
    ln -sfn kubernetes "$BIN/$name"
  done
}
