#!/usr/bin/env bash
# merged.sh number|digest: the pull request that this commit came from, and its reviewed digest.
# Says nothing where there is none: a push without a pull request was reviewed by nobody. Where this
# commit was not just pushed, the one that last changed the manifests counts.
set -euo pipefail

bot=${QARUN_BOT:-github-actions[bot]}
commit=$GITHUB_SHA

if [ "$GITHUB_EVENT_NAME" != push ]; then
  commit=$(
    gh api --method GET "repos/$GITHUB_REPOSITORY/commits" --raw-field "sha=$GITHUB_SHA" \
      --raw-field "path=$FILES" --raw-field per_page=1 --jq '.[0].sha // ""'
  )
fi
if [ -z "$commit" ]; then exit 0; fi
pull=$(
  gh api "repos/$GITHUB_REPOSITORY/commits/$commit/pulls" \
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
