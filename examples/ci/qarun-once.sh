#!/bin/sh
# qarun-once.sh OPTION...: one round of `qarun reconcile`, which ends as that does; but it ends well where
# only a policy or a freeze window holds something back, as then nobody has to decide anything.
set -eu

round='' stopped='' passed=''
stop() {
  stopped=yes
  # Once: it finishes what is under way, and a second signal would end it at once.
  if [ -n "$round" ] && [ -z "$passed" ]; then
    passed=yes
    kill -TERM "$round" || true
  fi
}

log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
trap stop INT TERM
qarun reconcile --once --verbose --log-format json "$@" 2>"$log" &
round=$!
if [ -n "$stopped" ]; then stop; fi

code=0
wait "$round" || code=$?
# A signal ends a `wait` early.
while kill -0 "$round" 2>/dev/null; do
  code=0
  wait "$round" || code=$?
done
cat -- "$log" >&2

# Each project has one line with its condition, or one that says what went wrong.
if [ "$code" -eq 5 ] && grep -q '"event": *"project\.reconciled"' "$log" &&
  ! grep -qE '"condition": *"(blocked|failing)"|"event": *"project\.failed"' "$log"; then
  code=0
fi
exit "$code"
