#!/usr/bin/env bash
# ours.sh PATH FIELD FILE: print FIELD of the first item at PATH of the API that we wrote ourselves and
# that begins with the first line of FILE; nothing where there is none.
set -euo pipefail

bot=${QARUN_BOT:-github-actions[bot]}
marker=$(head -n 1 -- "$3")

listed=$(
  gh api --paginate "$1" \
    --jq '.[] | [.'"$2"', .user.login, ((.body // "") | split("\n")[0] // "" | rtrimstr("\r"))] | @tsv'
)
while IFS=$'\t' read -r found login first; do
  # Anybody may write our marker; only what we wrote ourselves is ours to change.
  if [ "$login" = "$bot" ] && [ "$first" = "$marker" ]; then
    printf '%s\n' "$found"
    break
  fi
done <<<"$listed"
