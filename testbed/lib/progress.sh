# Progress of a build: on a terminal one line that is written over again and again, else a line whenever a program begins.
# Both say what is being built, what comes then, and for how long.
# shellcheck shell=bash

# start_progress PROGRAM...: all that will be built.
start_progress() {
  TO_BUILD=("$@") BUILD_SECONDS=$SECONDS
}

# seconds_left TOTAL DONE ELAPSED: TOTAL and DONE are seconds of the measured machine, ELAPSED those of this one. At first
# this machine is taken to be as fast, for as long as 30 s of work weigh.
seconds_left() { echo $((($1 - $2) * ($3 + 30) / ($2 + 30))); }

# about SECONDS: in words, as precise as it can be meant.
about() {
  if [ "$1" -ge 90 ]; then
    echo "about $((($1 + 30) / 60)) min left"
  elif [ "$1" -ge 8 ]; then
    echo "about $((($1 + 5) / 10 * 10)) s left"
  else
    echo 'nearly done'
  fi
}

# permille_of PROGRAM: by the packages that its log names. As others have compiled some of them, never more than 970.
permille_of() {
  local packages share
  if [ "${LASTED[$1]:-}" ]; then echo 1000; return; fi
  if [ -z "${STARTED[$1]:-}" ]; then echo 0; return; fi
  read -r _ packages < <(work_of "$1")
  share=$(($(grep -cE '^[^ ]+$' "$BED/build-$1.log" 2>/dev/null || true) * 1000 / packages))
  echo $((share < 970 ? share : 970))
}

progress_line() {
  local program total=0 done=0 seconds permille now=() later=()
  for program in "${TO_BUILD[@]}"; do
    read -r seconds _ < <(work_of "$program")
    permille=$(permille_of "$program")
    total=$((total + seconds)) done=$((done + seconds * permille / 1000))
    if [ "$permille" = 0 ] && [ -z "${STARTED[$program]:-}" ]; then
      later+=("$program")
    elif [ "$permille" -lt 1000 ]; then
      now+=("$program $((permille / 10)) %")
    fi
  done
  printf 'building %s' "$(join "${now[@]:-}")"
  if [ "${#later[@]}" -gt 0 ]; then printf '; then %s' "$(join "${later[@]}")"; fi
  printf '; %s' "$(about "$(seconds_left "$total" "$done" $((SECONDS - BUILD_SECONDS)))")"
}

join() { # WORD...: with commas between
  printf '%s' "$1"
  if [ $# -gt 1 ]; then printf ', %s' "${@:2}"; fi
}

on_terminal() { [ -t 2 ]; }

show_progress() {
  local columns
  if ! on_terminal; then return; fi
  columns=$(stty size <&2 2>/dev/null | cut -d ' ' -f 2)
  # A terminal may say that it has 0.
  if [ "${columns:-0}" = 0 ]; then columns=80; fi
  printf '\r\033[K%s' "$(progress_line | cut -c "1-$((columns - 1))")" >&2
}

erase_progress() { if on_terminal; then printf '\r\033[K' >&2; fi; }

# tell_progress: a program has begun.
tell_progress() { if ! on_terminal; then say "$(progress_line)"; fi; }

end_progress() {
  local program took=()
  for program in "${TO_BUILD[@]}"; do took+=("$program (${LASTED[$program]} s)"); done
  erase_progress
  say "built $(join "${took[@]}") in $((SECONDS - BUILD_SECONDS)) s"
}
