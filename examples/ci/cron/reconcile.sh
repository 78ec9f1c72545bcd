#!/bin/sh
# reconcile.sh REPOSITORY ENVIRONMENT: pull and reconcile; silent unless somebody has to look.
set -eu

cd -- "$1"
set -a
# shellcheck source=/dev/null
. "$2"
set +a
git pull --quiet --ff-only
code=0
said=$(qarun-once.sh -f qa 2>&1) || code=$?
if [ "$code" -ne 0 ]; then printf '%s\n' "$said"; fi
exit "$code"
