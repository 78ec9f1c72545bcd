#!/usr/bin/env bash
# merged.sh number|digest: the pull request that this commit came from, and its reviewed digest.
# Says nothing where there is none: a push without a pull request was reviewed by nobody.
set -euo pipefail

bot=${QARUN_BOT:-github-actions[bot]}

pull=$(
  gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" \
    --jq '[.[] | select(.merged_at != null)][0] | [.number // "", .head.sha // ""] | @tsv'
)
IFS=$'\t' read -r number head <<<"$pull"
if [ "$1" = number ] || [ -z "$head" ]; then
  if [ "$1" = number ]; then echo "$number"; fi
  exit
fi

statuses=$(
  gh api "repos/$GITHUB_REPOSITORY/commits/$head/statuses?per_page=100" \
    --jq '.[] | [.context, .creator.login, .state, .description // ""] | @tsv'
)
# Newest first. What anybody else wrote under our name was not planned by us.
while IFS=$'\t' read -r found login state digest; do
  if [ "$found" = "$CONTEXT" ] && [ "$login" = "$bot" ]; then
    if [ "$state" = success ]; then echo "$digest"; fi
    break
  fi
done <<<"$statuses"
