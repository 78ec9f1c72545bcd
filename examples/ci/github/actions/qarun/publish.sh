#!/usr/bin/env bash
# Show a plan in its pull request, and keep its digest where the merge finds it.
# After a merge there is a number but no HEAD_SHA: then only the comment is brought up to date.
set -euo pipefail

scripts=$(dirname -- "$0")
page=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID

if [ -n "$HEAD_SHA" ]; then
  # A status belongs to one commit: a later push has no digest until it was planned itself.
  state=success
  if [ "$WITHHELD" != false ]; then state=failure; fi
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/statuses/$HEAD_SHA" \
    --raw-field "context=$CONTEXT" --raw-field "state=$state" --raw-field "target_url=$page" \
    --raw-field "description=${DIGEST:-no plan could be made}"
fi

if [ -z "$NUMBER" ] && [ -z "$HEAD_SHA" ]; then
  NUMBER=$(bash "$scripts/merged.sh" number)
fi
if [ -z "$NUMBER" ]; then exit 0; fi

if [ -s "$FOLDER/problems.md" ]; then
  bash "$scripts/comment.sh" "$NUMBER" "$FOLDER/problems.md"
fi
if [ "$CHANGES" = false ]; then
  next='Nothing is left to do'
elif [ "$WITHHELD" = false ]; then
  next='This plan waits for an approval'
else
  next='Something is withheld, so nobody is asked to approve it; it says what to change, or until when'
fi
if [ -s "$FOLDER/plan.md" ]; then
  {
    cat -- "$FOLDER/plan.md"
    if [ -n "$HEAD_SHA" ]; then
      printf '\nPlan of merging %s: %s\n' "$HEAD_SHA" "$page"
    else
      printf '\n**What was reviewed no longer fits, and nothing was done. %s: %s**\n' "$next" "$page"
    fi
  } >"$FOLDER/comment.md"
  is_news=
  if [ -z "$HEAD_SHA" ] && [ "$CHANGES" = false ]; then is_news=no; fi
  bash "$scripts/comment.sh" "$NUMBER" "$FOLDER/comment.md" "$is_news"
fi
